/**
 * The elements an answer may have as HTML: those that mail clients, Teams and Sentinel comments
 * show, none that loads, runs, submits, styles or hides.
 */
export const allowedTags: readonly string[] =
  `a b blockquote br caption code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li mark ol p
  pre s samp small span strong sub sup table tbody td tfoot th thead tr u ul var`.split(/\s+/)

/** The attributes each of them may have; `*` stands for all. */
export const allowedAttributes: Readonly<Record<string, readonly string[]>> = {
  '*': ['dir'],
  a: ['href', 'rel'],
  ol: ['start'],
  td: ['align', 'colspan', 'rowspan'],
  th: ['align', 'colspan', 'rowspan'],
}

/** The schemes a link may have. */
export const allowedSchemes: readonly string[] = ['http', 'https', 'mailto']

/** The one `rel` of every link. */
export const linkRelation = 'noopener noreferrer nofollow'

/** Elements of which nothing is kept, the text inside neither. */
export const droppedWhole: readonly string[] =
  `applet audio canvas datalist embed frameset iframe math noembed noframes noscript object option
  plaintext script select style svg template textarea title video xmp`.split(/\s+/)

/** Elements that only part text into blocks; each becomes a `div`. */
export const blocks: readonly string[] =
  `address article aside center details dialog fieldset figcaption figure footer form header
  hgroup legend main nav section summary`.split(/\s+/)
