/** Where a package may be installed: in a read-only directory, with a /tmp mounted noexec. */
import { dirname } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { README_EXAMPLE, README_OUTPUT } from '../../scripts/pages/readme-example.ts'
import { type FreshProject, freshProject, LONG } from '../setup/package/fresh-project.ts'
import { npmInstall } from '../setup/package/install.ts'
import { type Registry, startRegistry } from '../setup/package/registry.ts'
import { isRoot } from '../setup/sets/privilege.ts'

vi.setConfig({ testTimeout: LONG, hookTimeout: LONG })

let registry: Registry
let project: FreshProject
beforeAll(async () => {
  registry = await startRegistry()
  project = freshProject(registry.url)
  await npmInstall(project, 'nsset')
  project.write('readme.mjs', README_EXAMPLE)
})
afterAll(async () => {
  project?.[Symbol.dispose]()
  await registry?.[Symbol.asyncDispose]()
})

/**
 * In its own mounts: the project is read-only in /mnt/project, and /tmp is empty and noexec; Node.js, which may have
 * been in /tmp, is in /mnt/node. Exits with 99 when that fails.
 */
const READ_ONLY = `
set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/project /mnt/node
mount --bind "$1" /mnt/project
mount -o remount,bind,ro /mnt/project
mount --bind "$2" /mnt/node
mount -t tmpfs -o noexec,nosuid,nodev,mode=1777 tmpfs /tmp
shift 2
cd /mnt/project
cp /bin/true /tmp
if touch file 2>/dev/null || /tmp/true 2>/dev/null; then exit 99; fi
rm /tmp/true
exec "$@"
`

const AS_1234 = ['setpriv', '--reuid=1234', '--regid=1234', '--clear-groups', '--inh-caps=-all', '--bounding-set=-all']

test.for<[user: string, become: string[]]>([
  ['root', []],
  ['the ordinary user 1234', AS_1234],
])('read-only, with /tmp mounted noexec, as %s', async ([, become], context) => {
  if (!isRoot) context.skip('needs root: it mounts, and changes the user id')
  const unshare = ['unshare', '--mount', 'sh', '-c', READ_ONLY, 'sh', project.path, dirname(process.execPath)]
  const outcome = await project.run([...unshare, ...become, '/mnt/node/node', 'readme.mjs'], { TMPDIR: '/tmp' })
  expect(outcome).toEqual({ code: 0, stderr: '', stdout: expect.stringMatching(README_OUTPUT) })
})
