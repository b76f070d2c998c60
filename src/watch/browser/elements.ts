/** The element with this id, which the page has. */
export const at = (id: string): HTMLElement => document.getElementById(id) as HTMLElement

/** The field with this id: what it holds, and whether it is chosen. */
export const field = (id: string): HTMLInputElement => at(id) as HTMLInputElement

/** A new element with what it holds. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children)
  return element
}

/** A button that copies a text, and says so. `what` is for who cannot see what stands beside it. */
export function copyButton(what: string, text: () => string): HTMLButtonElement {
  const button = make('button', { type: 'button', ariaLabel: `Copy ${what}` }, 'Copy')
  button.addEventListener('click', () => {
    void navigator.clipboard.writeText(text()).then(
      () => button.replaceChildren('Copied'),
      () => button.replaceChildren('Not allowed'),
    )
  })
  return button
}

/** What is left of something. */
export interface Left {
  readonly limit: number
  readonly remaining: number
  readonly resetSeconds: number
}

/** What is left of something, as a bar with its numbers. */
export function bar(what: string, { limit, remaining, resetSeconds }: Left): HTMLElement {
  const label = `${what}: ${remaining} of ${limit} left`
  const meter = make('meter', { max: limit, value: remaining, low: limit / 5, ariaLabel: label })
  const wait = resetSeconds < 120 ? `${resetSeconds} s` : `${Math.ceil(resetSeconds / 60)} min`
  const again = resetSeconds > 0 ? `, more in ${wait}` : ''
  return make(
    'div',
    { className: 'bar' },
    make('span', {}, what),
    make('span', {}, `${remaining} of ${limit} left${again}`),
    meter,
  )
}
