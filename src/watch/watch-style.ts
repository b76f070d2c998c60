/** The page's style, light and dark. */
export const watchStyle = `
:root { color-scheme: light dark;
  --back: #f4f6f9; --card: #fff; --line: #cfd7e2; --text: #17222f; --soft: #55637a;
  --brand: #1f3a5f; --on-brand: #fff; --link: #1b5fb0; --good: #17694a; --bad: #a4262c;
  --code: #eef2f7; --note: #fff6d9; }
@media (prefers-color-scheme: dark) { :root {
  --back: #10161e; --card: #18212c; --line: #33414f; --text: #e6ecf3; --soft: #a5b3c5;
  --brand: #7fb2ee; --on-brand: #0d1620; --link: #8fbdf3; --good: #6fd3a5; --bad: #ff9a9a;
  --code: #0f1720; --note: #3a3213; } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, "Segoe UI", sans-serif; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .75rem; padding: .75rem 1.25rem;
  background: var(--card); border-bottom: 1px solid var(--line); }
header img { border-radius: 6px; }
h1 { font-size: 1.15rem; margin: 0; flex: 1; }
h2 { font-size: 1rem; margin: 0 0 .6rem; }
main { max-width: 75rem; margin: 0 auto; padding: 1.25rem; }
.columns { display: grid; gap: 0 1.25rem; grid-template: auto 1fr / minmax(0, 5fr) minmax(0, 7fr); }
.right { grid-column: 2; grid-row: 1 / 3; }
.columns > * { align-self: start; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 1rem 1.1rem; margin-bottom: 1.25rem; }
.notice { background: var(--note); border: 1px solid var(--line); border-radius: 10px;
  margin: 0 0 1.25rem; padding: .6rem 1.1rem; }
.hint { color: var(--soft); font-size: .875rem; margin: .35rem 0; }
a { color: var(--link); }
label { display: block; font-weight: 600; font-size: .9rem; margin: .5rem 0 .25rem; }
fieldset { border: 0; margin: 0; padding: 0; }
legend { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
fieldset label, #go-on { display: inline-block; font-weight: 400; margin-right: 1rem; }
textarea, select, input:not([type=radio], [type=checkbox]) { width: 100%; font: inherit;
  font-weight: 400; color: inherit;
  background: var(--card); border: 1px solid var(--soft); border-radius: 6px; padding: .5rem .6rem; }
textarea { resize: vertical; }
button { font: inherit; cursor: pointer; color: var(--link); background: none; white-space: nowrap;
  border: 1px solid var(--line); border-radius: 6px; padding: .15rem .6rem; font-size: .85rem; }
button.main { color: var(--on-brand); background: var(--brand); border-color: var(--brand);
  font-size: 1rem; font-weight: 600; padding: .5rem 1.5rem; margin-top: .75rem; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
#run-title:focus { outline: none; }
.row { display: flex; gap: .5rem; align-items: center; }
.bar { display: grid; grid-template-columns: 1fr auto; font-size: .9rem; margin-top: .6rem; }
meter, progress { grid-column: 1 / -1; width: 100%; height: 1rem; accent-color: var(--brand); }
meter::-webkit-meter-bar { height: .6rem; border: 0; border-radius: 1rem; background: var(--code); }
meter::-webkit-meter-optimum-value { background: var(--good); border-radius: 1rem; }
#states { list-style: none; display: flex; flex-wrap: wrap; gap: 0 .5rem; padding: 0; }
#states li:not(:last-child)::after { content: " →"; color: var(--soft); }
#states .good { color: var(--good); } #states .bad { color: var(--bad); }
small { color: var(--soft); font-size: .8125rem; }
#state { font-size: 1.25rem; font-weight: 600; margin: 0 0 .5rem; }
#state.good { color: var(--good); } #state.bad, #problem { color: var(--bad); }
dl { margin: .75rem 0; font-size: .875rem; }
dl div { display: grid; grid-template-columns: 7.5rem minmax(0, 1fr) auto; gap: .6rem;
  align-items: center; padding: .2rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
code, pre { font: .8125rem/1.5 ui-monospace, Consolas, monospace; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; margin: .35rem 0; background: var(--code); border-radius: 6px;
  padding: .5rem .7rem; }
#answer { width: 100%; height: 20rem; border: 1px solid var(--line); border-radius: 8px;
  background: var(--card); resize: vertical; }
ol { margin: 0; padding-left: 1.4rem; }
#calls { max-height: 26rem; overflow-y: auto; }
li::marker { color: var(--soft); }
summary { cursor: pointer; overflow-wrap: anywhere; padding: .15rem 0; }
@media (max-width: 52rem) {
  .columns { display: block; }
  main { padding: .75rem; }
  dl div { grid-template-columns: minmax(0, 1fr) auto; }
  dt { grid-column: 1 / -1; margin-bottom: -.5rem; }
}
`

/** The style of an answer in its frame. */
export const answerStyle = `
:root { color-scheme: light dark; }
body { margin: .75rem 1rem; color: #17222f; background: #fff; overflow-wrap: anywhere;
  font: 15px/1.55 system-ui, "Segoe UI", sans-serif; }
pre { white-space: pre-wrap; } pre, code { font-family: ui-monospace, Consolas, monospace; }
table { border-collapse: collapse; } th, td { border: 1px solid #8795a8; padding: .25rem .5rem; }
a { color: #1b5fb0; }
@media (prefers-color-scheme: dark) {
  body { color: #e6ecf3; background: #18212c; } a { color: #8fbdf3; } }
`
