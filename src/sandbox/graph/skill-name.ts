/** Which prompts get a `skillName`: those with a slash prefix, or without. */
export interface SkillNames {
  readonly slash?: boolean | undefined
  readonly plain?: boolean | undefined
}

/** The skill that ran a prompt: that of its slash prefix, or the orchestrator's choice. Pure. */
export function skillNameOf(content: string, { slash, plain }: SkillNames): string | null {
  const named = /^\/(\w+)/.exec(content)?.[1]
  if (named !== undefined) return slash ? named : null
  return plain ? 'AskGpt' : null
}
