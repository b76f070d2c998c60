/** Tokens and secrets that are typed into the page are not shown. */
const style = `
.auth-container #auth-bearer-value,
.auth-container #api_key_value { -webkit-text-security: disc; }
`

/** As wide as the screen it is on, and dark where the reader's device is. */
const script = `
const viewport = document.createElement('meta')
viewport.name = 'viewport'
viewport.content = 'width=device-width, initial-scale=1'
document.head.append(viewport)
const dark = matchMedia('(prefers-color-scheme: dark)')
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', follow)
follow()
`

/** What the reference page has beside Swagger UI's own; files of this service, not inline. */
export const pageTheme = {
  title: 'Security Copilot Connector',
  css: [{ filename: 'page.css', content: style }],
  js: [{ filename: 'page.js', content: script }],
}
