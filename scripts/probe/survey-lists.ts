import { idOf, itemsOf, nothing, textOf, workspaces, type Survey } from './graph-survey.ts'
import type { Seen } from './ask.ts'

/** A list longer than this many pages is not followed further. */
const maxPages = 100

const linkOf = ({ body }: Seen): string | undefined => textOf(body, '@odata.nextLink')

const pageOf = (seen: Seen) => ({
  items: itemsOf(seen.body).length,
  more: linkOf(seen) !== undefined,
})

/** The path of a next page below `base`, the API's root; `undefined` if it leads elsewhere. */
function pathBelow(link: string, base: string): string | undefined {
  return link.startsWith(`${base}/`) ? link.slice(base.length) : undefined
}

/** Workspaces and the ways to name one, plugins, sessions, pages. Spends nothing. */
export async function surveyLists(survey: Survey, base: string): Promise<void> {
  const { call, attempt, notebook, workspace } = survey

  const listed = await call('listWorkspaces', workspaces, undefined, { gzip: false })
  if (listed.status === 200) notebook.note({ workspaces: itemsOf(listed.body).length })
  const [first] = itemsOf(listed.body)
  const id = idOf({ ...listed, body: first })
  const name = textOf(first, 'displayName')
  if (id !== undefined) await attempt('workspaceById', `${workspaces}/${id}/plugins`)
  if (name) await attempt('workspaceByName', `${workspaces}/${encodeURIComponent(name)}/plugins`)
  await attempt('workspaceByDefault', `${workspaces}/default/plugins`)
  await attempt('unknownWorkspace', `${workspaces}/${nothing()}/plugins`)

  const path = `${workspaces}/${workspace}/plugins`
  const plugins: object[] = []
  let seen = await call('listPlugins', path)
  const pluginsPage = seen.status === 200 ? { plugins: pageOf(seen) } : {}
  let linksInside: boolean | undefined
  for (let pages = 1; ; pages += 1) {
    plugins.push(...itemsOf(seen.body))
    const link = linkOf(seen)
    const next = link === undefined ? undefined : pathBelow(link, base)
    if (link !== undefined) linksInside = next !== undefined
    if (next === undefined || pages === maxPages) break
    seen = await call('listPlugins', next)
  }
  if (plugins.length > 0) {
    notebook.note({
      plugins: {
        total: plugins.length,
        enabled: plugins.filter(item => 'isEnabled' in item && item.isEnabled === true).length,
        sameName: plugins.filter(item => textOf(item, 'name') === textOf(item, 'displayName'))
          .length,
      },
    })
  }
  const top = await call('listPlugins', `${path}?$top=1`)
  const sessions = await call('listSessions', `${workspaces}/${workspace}/sessions`)
  notebook.note({
    paging: {
      ...pluginsPage,
      ...(sessions.status === 200 && { sessions: pageOf(sessions) }),
      ...(top.status === 200 &&
        plugins.length > 1 && {
          topHonoured: itemsOf(top.body).length === 1,
        }),
      ...(linksInside !== undefined && { linksInside }),
    },
  })
}
