// Graph's entities as its reference pages' samples show them, property order included.

export interface SessionEntity {
  readonly id: string
  readonly createdDateTime: string
  readonly lastModifiedDateTime: string
  readonly displayName: string | null
}

export interface PromptEntity {
  readonly id: string
  readonly type: string
  readonly createdDateTime: string
  readonly lastModifiedDateTime: string
  readonly skillName: string | null
  readonly content: string
  readonly inputs: { readonly keyValuePairs: readonly unknown[] }
  readonly skillInputDescriptors: readonly unknown[]
}

export interface EvaluationEntity {
  readonly id: string
  readonly createdDateTime: string
  readonly runStartDateTime: string
  readonly completedDateTime: string
  readonly lastModifiedDateTime: string
  readonly state: string
  readonly executionCount: number
  readonly isCancelled: boolean
  readonly result: {
    readonly content: string | null
    readonly type: string
    readonly previewState: string
  } | null
}

export interface PluginEntity {
  readonly name: string
  readonly displayName: string
  readonly description: string
  readonly category: string
  readonly catalogScope: string
  readonly previewState: string
  readonly isEnabled: boolean
  readonly authorization: null
  readonly settings: readonly unknown[]
}

export interface WorkspaceEntity {
  readonly id: string
  readonly displayName: string
}
