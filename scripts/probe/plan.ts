import type { ProbeCommand } from './probe-options.ts'

const callers = {
  nobody: 'without credentials',
  user: 'with the token of a user',
  app: 'as an app',
} as const

/** What will be done, before anything is; `names` are those of the three sessions. Pure. */
export function planOf(command: ProbeCommand, [first, second, third]: readonly string[]): string {
  const { service, graph, evaluations, out, workspace } = command
  const lines = ['This will']
  if (service)
    lines.push(
      `- ask ${new URL(service.url).origin} three times, ${callers[service.caller.kind]}: nothing is spent`,
    )
  if (graph) {
    lines.push(
      `- ask ${new URL(graph.url).origin} about 40 times, in the workspace "${workspace}"`,
      `- create the sessions "${first}" and "${second}" (and "${third}", if Graph`,
      '  takes a session without a name), and up to 8 prompts in them; Graph cannot delete them',
      `- create ${evaluations === 0 ? 'no evaluation' : `at most ${evaluations} evaluations: each spends capacity`}`,
    )
  }
  lines.push(`- write probe-report.md, probe-report.json and probe-sessions.json into ${out}`)
  return lines.join('\n')
}
