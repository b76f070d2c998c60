import { type DefaultTreeAdapterTypes, html as spec, parseFragment, serialize } from 'parse5'

type Node = DefaultTreeAdapterTypes.Node
type Element = DefaultTreeAdapterTypes.Element

// Written here once more, on purpose: the tests do not believe the source's own lists.
const tags = new Set(
  `a b blockquote br caption code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li mark ol p
  pre s samp small span strong sub sup table tbody td tfoot th thead tr u ul var`.split(/\s+/),
)
const attributes: Record<string, RegExp> = {
  dir: /^(ltr|rtl|auto)$/,
  href: /^(https?:\/\/|mailto:)[^\s\\]/,
  rel: /^noopener noreferrer nofollow$/,
  start: /^\d{1,9}$/,
  align: /^(left|right|center)$/,
  colspan: /^[1-9]\d{0,2}$/,
  rowspan: /^[1-9]\d{0,2}$/,
}

/** Every node of a fragment as a browser builds it, without recursion. */
export function nodesOf(html: string): Node[] {
  const nodes: Node[] = []
  const left: Node[] = [parseFragment(html)]
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    nodes.push(node)
    if ('childNodes' in node) left.push(...node.childNodes.toReversed())
    if ('content' in node) left.push(node.content)
  }
  return nodes.slice(1)
}

/** The elements of a fragment, in their order. */
export const elementsOf = (html: string): Element[] =>
  nodesOf(html).filter((node): node is Element => 'tagName' in node)

/** The text that a reader sees. */
export const textOf = (html: string): string =>
  nodesOf(html)
    .map(node => (node.nodeName === '#text' && 'value' in node ? node.value : ''))
    .join('')

function faultsOnce(html: string): string[] {
  return nodesOf(html).flatMap(node => {
    if (node.nodeName === '#text') return []
    if (!('tagName' in node)) return [node.nodeName]
    return [
      ...(tags.has(node.tagName) && node.namespaceURI === spec.NS.HTML ? [] : [node.tagName]),
      ...node.attrs
        .filter(({ name, value }) => !attributes[name]?.test(value))
        .map(({ name, value }) => `${node.tagName} ${name}=${value}`),
      ...(node.tagName === 'a' && node.attrs.length < 2 ? ['a without href and rel'] : []),
    ]
  })
}

/**
 * What a fragment has beside allowed elements, attributes and schemes: nothing, if it is safe; also
 * not after a browser wrote it out and read it again.
 */
export const faultsOf = (html: string): string[] => [
  ...faultsOnce(html),
  ...faultsOnce(serialize(parseFragment(html))),
]
