/** The pages for those who come from elsewhere: no name is left out, and what is said of one is shown. */
import { describe, expect, test } from 'vitest'
import { chaptersOf } from './setup/pages.ts'

/** What the other projects export. Of neslink that is the main branch, and older names that programs may still have. */
const NAMES = {
  'docs/from-neslink.md': `
    Do DoFd NsDo LinkDo Action NsAction LinkAction LinkAction.ActionName LinkAction.Do ErrNoLink
    Namespace Namespace.String Namespace.Exists NsFd NsFd.Int NsFd.Valid NsFd.Inode NsFd.Dev NsFd.close NsFdNone
    NsProvider NsProvider.Provide NPGeneric NPNow NPProcess NPThread NPName NPNameAt NPPath DefaultMountPath
    docker.NPName docker.NPID docker.NPDocker docker.NPDockerContainer
    NAGeneric NANewNs NANewNsAt NADeleteNamed NADeleteNamedAt NASetLinkNs NAGetNsFd NALinks NAGetLink NAExecNescript
    LinkProvider LinkProvider.Provide LPGeneric LPName LPAlias LPIndex
    LAGeneric LANewBridge LANewVeth LANewDummy LANewGRETap LANewWireguard LANewVxlan LADelete LASetName LASetAlias
    LASetHw LASetUp LASetDown LASetPromiscOn LASetPromiscOff LAAddAddr LADelAddr LAAddNetem LAAddTbf
    process.NAGetProcesses process.Task process.Task.Process process.Task.Task process.Task.NsDev process.Task.NsInode
    ovs.LAAttachBridge ovs.LADetachBridge`,
  'docs/from-netns.md': `
    NsHandle NsHandle.Equal NsHandle.String NsHandle.UniqueId NsHandle.IsOpen NsHandle.Close None
    Get Set Setns New NewNamed DeleteNamed GetFromPath GetFromName GetFromPid GetFromThread GetFromDocker
    CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET CLONE_IO SYS_SETNS ErrNotImplemented`,
}

describe.each(Object.entries(NAMES))('%s', (path, text) => {
  const chapters = chaptersOf(path)
  const names = text.trim().split(/\s+/)

  test('has every name of the other project, and once', () => {
    const told = chapters.flatMap(({ rows }) => rows.map(({ name }) => bare(name)))
    expect(told.toSorted()).toEqual(names.toSorted())
  })

  test('shows what it says of a name in a snippet of the same chapter', () => {
    const unshown = chapters
      .filter(({ title }) => title !== 'Without an equal')
      .flatMap(({ rows, snippets }) => {
        const words = new Set(snippets.flatMap(({ code }) => wordsOf(code)))
        return rows.flatMap(({ name, here }) => {
          const missing = here.flatMap(wordsOf).filter((word) => !words.has(word) && !names.includes(word))
          return here.length === 0 ? [`${name}: nothing`] : missing.map((word) => `${name}: ${word}`)
        })
      })
    expect(unshown).toEqual([])
  })
})

/** Without its arguments. */
function bare(name: string): string {
  return name.replace(/\(.*/, '')
}

function wordsOf(code: string): string[] {
  return code.match(/[A-Za-z_]\w*/g) ?? []
}
