import { icon } from './icon.ts'

/**
 * Swagger UI's page in the connector's colours: texts that contrast with what is behind them (4.5
 * to 1, WCAG 2.2), light and dark; narrow screens; and tokens and secrets that are not shown while
 * they are typed.
 */
const style = `
.auth-container #auth-bearer-value,
.auth-container #api_key_value { -webkit-text-security: disc; }

:root { --brand: #1f3a5f; --link: #1b5fb0; --soft: #55637a; --get: #1b5fb0; --post: #17694a; }
html.dark-mode { --brand: #2f5f97; --link: #8fbdf3; --soft: #a5b3c5; }
html body { background: #f4f6f9; }
html.dark-mode body { background: #10161e; }
html.dark-mode { background: #10161e; }
.swagger-ui .info { margin: 1.5rem 0; }
.swagger-ui .info hgroup.main { padding-left: 4.25rem; min-height: 3.25rem; margin-bottom: 1rem;
  background: url(icon.png) left top / 3.25rem no-repeat; }
.swagger-ui .info .title { font-size: 1.7rem; }
.swagger-ui .info .title small pre.version, .swagger-ui .info .title small { background: #55637a; }
.swagger-ui .info .title small.version-stamp, .swagger-ui .info .title small.version-stamp pre.version {
  background: #17694a; }
.swagger-ui .info .title small pre.version { color: #fff; }
.swagger-ui .scheme-container { background: none; box-shadow: none; padding: 0 0 .5rem; }
.swagger-ui .scheme-container .schemes > div:has(#servers), .swagger-ui .servers-title,
.swagger-ui .servers { display: none; }
.swagger-ui .response-col_links { display: none; }
.swagger-ui a.link, .swagger-ui .info a, .swagger-ui .info .url, .swagger-ui .markdown a { color: var(--link); }
.swagger-ui .parameter__in, .swagger-ui .parameter__type { color: var(--soft); }
.swagger-ui .btn.authorize { color: #17694a; border-color: #17694a; }
.swagger-ui .btn.authorize svg { fill: #17694a; }
html.dark-mode .swagger-ui .btn.authorize { color: #6fd3a5; border-color: #6fd3a5; }
html.dark-mode .swagger-ui .btn.authorize svg { fill: #6fd3a5; }
.swagger-ui .btn.cancel { color: #a4262c; border-color: #a4262c; }
html.dark-mode .swagger-ui .btn.cancel { color: #ff9a9a !important; border-color: #ff9a9a; }
.swagger-ui .btn.execute { background: var(--brand); border-color: var(--brand); }
.swagger-ui .download-contents { background: #55637a; }
.swagger-ui .opblock.opblock-get .opblock-summary-method { background: var(--get); }
.swagger-ui .opblock.opblock-post .opblock-summary-method { background: var(--post); }
.swagger-ui .response-control-media-type__accept-message,
.swagger-ui .response-control-media-type__accept-message code { color: #115c3f; }
html.dark-mode .swagger-ui .response-control-media-type__accept-message,
html.dark-mode .swagger-ui .response-control-media-type__accept-message code { color: #6fd3a5; }
.swagger-ui .json-schema-2020-12-expand-deep-button { color: #55637a; }
html.dark-mode .swagger-ui .json-schema-2020-12-expand-deep-button { color: #c4cfdd; }
html.dark-mode .swagger-ui .header-col, html.dark-mode .swagger-ui .examples-select__section-label,
html.dark-mode .swagger-ui .headers-wrapper { color: #d5dde8; }
.swagger-ui :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }

@media (max-width: 48rem) {
  .swagger-ui .wrapper { padding: 0 .75rem; }
  .swagger-ui .opblock-tag { font-size: 1.15rem; }
  .swagger-ui .opblock-tag small { display: none; }
  .swagger-ui table.parameters, .swagger-ui table.parameters > tbody,
  .swagger-ui table.parameters > tbody > tr,
  .swagger-ui table.parameters > tbody > tr > td { display: block; width: 100%; }
  .swagger-ui table.parameters > thead { display: none; }
  .swagger-ui .responses-table { table-layout: fixed; width: 100%; }
  .swagger-ui .responses-table .response-col_status { width: 3.5rem; min-width: 0; }
  .swagger-ui .response-col_description { min-width: 0; overflow-wrap: anywhere; }
  .swagger-ui .response-controls { flex-wrap: wrap; }
  .swagger-ui .opblock-section-header { flex-wrap: wrap; height: auto; gap: .5rem; }
  .swagger-ui input, .swagger-ui select, .swagger-ui textarea { max-width: 100%; min-width: 0 !important; }
  .swagger-ui .curl-command, .swagger-ui .highlight-code { max-width: 100%; overflow-x: auto; }
  .swagger-ui pre { white-space: pre-wrap; overflow-wrap: anywhere; }
}
`

/**
 * As wide as the screen it is on, dark where the reader's device is, and fields that say what they
 * are. Swagger UI draws its page again and again, so it is looked at whenever it changes.
 */
const script = `
const viewport = document.createElement('meta')
viewport.name = 'viewport'
viewport.content = 'width=device-width, initial-scale=1'
document.head.append(viewport)
const dark = matchMedia('(prefers-color-scheme: dark)')
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', follow)
follow()

document.documentElement.lang = 'en'
const names = [
  ['select[id="servers"]', 'Server'],
  ['.examples-select select', 'Example'],
  ['.content-type-wrapper select, .content-type', 'Media type'],
  ['textarea', 'Request body'],
]
function name() {
  for (const [selector, label] of names)
    for (const field of document.querySelectorAll('.swagger-ui :is(' + selector + '):not([aria-label])'))
      field.setAttribute('aria-label', label)
  for (const row of document.querySelectorAll('tr[data-param-name]'))
    for (const field of row.querySelectorAll(':is(input, select):not([aria-label])'))
      field.setAttribute('aria-label', row.dataset.paramName)
  for (const button of document.querySelectorAll('.close-modal:not([aria-label])'))
    button.setAttribute('aria-label', 'Close')
  // What is heard must begin with what is seen.
  for (const button of document.querySelectorAll('.auth-btn-wrapper [aria-label]'))
    button.removeAttribute('aria-label')
  // A link inside of a button cannot be reached by itself.
  for (const link of document.querySelectorAll('.opblock-summary-control a[href]'))
    link.removeAttribute('href')
  for (const text of document.querySelectorAll('.swagger-ui pre:not([tabindex])'))
    if (text.scrollWidth > text.clientWidth || text.scrollHeight > text.clientHeight)
      text.tabIndex = 0
}
let waiting = false
new MutationObserver(() => {
  if (waiting) return
  waiting = true
  requestAnimationFrame(() => { waiting = false; name() })
}).observe(document, { childList: true, subtree: true })
`

/** What the reference page has beside Swagger UI's own; files of this service, not inline. */
export const pageTheme = {
  title: 'Security Copilot Connector',
  favicon: [
    { filename: 'icon.png', rel: 'icon', type: 'image/png', sizes: '230x230', content: icon },
  ],
  css: [{ filename: 'page.css', content: style }],
  js: [{ filename: 'page.js', content: script }],
}
