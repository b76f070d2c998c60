import { escapeHtml } from '../answer/escape-html.ts'

/** What the page depends on. */
export interface WatchDocumentOptions {
  /** Path of the service's root, without a closing slash. */
  readonly root: string
  /** Whether calls without credentials are let in. */
  readonly anonymousAllowed: boolean
  /** What a reader must know of this very service. */
  readonly notice?: string | undefined
}

const signIn = `
<form id="sign-in" class="card" autocomplete="off">
  <label for="token">Token of a user for this API</label>
  <div class="row">
    <input id="token" type="password" required autocomplete="off" spellcheck="false">
    <button>Use it</button>
  </div>
  <p class="hint">It stays in this page, and is gone when you close it.</p>
</form>`

/** The page as HTML. It has no script and no style of its own, and no other host. Pure. */
export function watchDocument({ root, anonymousAllowed, notice }: WatchDocumentOptions): string {
  const at = escapeHtml(root)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Ask and watch · Security Copilot Connector</title>
<link rel="icon" href="${at}/favicon.ico">
<link rel="stylesheet" href="${at}/watch/page.css">
<script type="module" src="${at}/watch/watch-page.js"></script>
</head>
<body data-root="${at}">
<header>
  <img src="${at}/favicon.ico" alt="" width="36" height="36">
  <h1>Security Copilot Connector</h1>
  <nav><a href="${at}/docs">API reference</a></nav>
</header>
<main>
${notice === undefined ? '' : `<p class="notice">${escapeHtml(notice)}</p>`}
${anonymousAllowed ? '' : signIn}
<div class="columns">
<form id="ask" class="card">
  <h2>Ask</h2>
  <fieldset id="kind" hidden>
    <legend>What to run</legend>
    <label><input type="radio" name="kind" checked> A prompt</label>
    <label><input type="radio" name="kind" id="kind-book"> A promptbook</label>
  </fieldset>
  <div id="one-prompt">
    <label for="prompt">Prompt</label>
    <textarea id="prompt" rows="4" maxlength="100000" aria-describedby="ask-hint">Which users signed in from two countries today?</textarea>
    <label id="go-on" hidden><input id="same-session" type="checkbox"> Go on in the same session</label>
  </div>
  <div id="one-book" hidden>
    <label for="book">Promptbook</label>
    <select id="book"></select>
    <p id="book-about" class="hint"></p>
    <div id="inputs"></div>
  </div>
  <button class="main">Run</button>
  <p id="ask-hint" class="hint">Ctrl+Enter runs it.</p>
</form>
<div class="right">
<section class="card" aria-labelledby="run-title" id="run">
  <h2 id="run-title" tabindex="-1">Run</h2>
  <p id="state" role="status">Nothing has been asked yet.</p>
  <progress id="busy" aria-label="It runs" hidden></progress>
  <ol id="states" aria-label="States so far"></ol>
  <p id="problem" role="alert" hidden></p>
  <dl id="ids"></dl>
  <iframe id="answer" title="The answer" sandbox="" hidden></iframe>
  <ol id="steps"></ol>
</section>
<section class="card" aria-labelledby="calls-title">
  <h2 id="calls-title">Calls this page made</h2>
  <p class="hint">To paste into a shell.${anonymousAllowed ? '' : ' Put the token into TOKEN first.'}</p>
  <ol id="calls"></ol>
</section>
</div>
<section class="card" aria-labelledby="who-title">
  <h2 id="who-title">Connection</h2>
  <p id="who">Not known yet.</p>
  <div id="bars"></div>
</section>
</div>
<p class="hint">AI-generated content may contain mistakes: check every answer before you rely on it.</p>
</main>
</body>
</html>
`
}
