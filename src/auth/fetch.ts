/**
 * The way out to Entra: discovery, keys and tokens all go through one such function, so that a
 * proxy is obeyed by all of them or by none. As the global `fetch`.
 */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>
