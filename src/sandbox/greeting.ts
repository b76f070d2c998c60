import { styleText } from 'node:util'

/** What the greeting is written from. */
export interface GreetingOptions {
  /** Where the service can be reached, without a closing slash. */
  readonly url: string
  readonly version: string
  /** Whether promptbooks can be run. */
  readonly promptbooks: boolean
  /** Whether colours are shown. */
  readonly colours: boolean
  /** Node's name of the system, for the commands to paste. */
  readonly platform: string
}

/** A command that sends a body to a path, for the shell that the system brings. Pure. */
function command(platform: string, url: string, body: object): string[] {
  const json = JSON.stringify(body)
  return platform === 'win32'
    ? [
        `Invoke-RestMethod ${url} -Method Post -ContentType application/json \``,
        `  -Body '${json}'`,
      ]
    : [`curl ${url} -H 'content-type: application/json' \\`, `  -d '${json}'`]
}

/** What the sandbox says on a terminal once it listens: where it is, and what to try. Pure. */
export function greeting({
  url,
  version,
  promptbooks,
  colours,
  platform,
}: GreetingOptions): string {
  const paint = (format: Parameters<typeof styleText>[0], text: string): string =>
    colours ? styleText(format, text, { validateStream: false }) : text
  const place = (what: string, where: string): string =>
    `  ${what.padEnd(20)}${paint(['cyan', 'underline'], where)}`
  const commands = [
    command(platform, `${url}/process-prompt`, {
      PromptContent: 'Which users signed in from two countries today?',
    }),
    ...(promptbooks
      ? [
          command(platform, `${url}/run-promptbook`, {
            PromptbookId: 'Incident investigation',
            PromptbookInputs: { IncidentId: '4711' },
          }),
        ]
      : []),
  ]
  return [
    '',
    `  ${paint('bold', `Security Copilot Connector ${version}`)}`,
    `  ${paint('yellow', 'This is the sandbox: no AI is called, every answer is simulated.')}`,
    '',
    place('Ask and watch', `${url}/watch`),
    place('API, to try', `${url}/docs`),
    '',
    '  Or paste into another terminal; the answer takes 2 seconds a prompt:',
    ...commands.flatMap(lines => ['', ...lines.map(line => `    ${paint('green', line)}`)]),
    '',
    `  ${paint('dim', 'Ctrl-C ends it. Another port: set PORT. Markers that script answers: src/sandbox/README.md')}`,
    '',
    '',
  ].join('\n')
}
