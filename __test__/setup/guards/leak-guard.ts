/**
 * After each test, this process has what it had before: `expectNoLeaks` of the package, as its users call it. Mounts,
 * links and names belong to the machine, on which other test files run at the same time: tests of those count them themselves.
 */
import { afterEach, beforeEach, expect } from 'vitest'

/** Each test of these folders closes what it opens. Those of other folders share servers and sets, or leave connections to be kept alive. */
const FOLDERS = [
  ...[
    'command',
    'confinement',
    'control-groups',
    'discovery',
    'mounts',
    'pid-namespaces',
    'processes',
    'sets',
    'threads',
  ],
  ...['unshare', 'workers'],
]

/** Its tests share a set and a server, which open sockets when they are first used. */
const SHARING = 'sets/unknown-options.test.ts'

const ofTheMachine = /^(?:mount|link|name) /

type Run = () => Promise<void>

/** Tests that run at the same time see each other's resources. */
const hooks = {
  beforeEach: (run: Run) => beforeEach(({ task }) => (task.concurrent ? undefined : run())),
  afterEach: (run: Run) => afterEach(({ task }) => (task.concurrent ? undefined : run())),
}

const [, file = ''] = expect.getState().testPath?.split('/__test__/') ?? []
if (FOLDERS.some((folder) => file.startsWith(`${folder}/`)) && file !== SHARING) {
  // Other tests are not to load the package here.
  const { expectNoLeaks } = await import('nsset/testing')
  expectNoLeaks(hooks, { patience: 10_000, ignore: (leak) => ofTheMachine.test(leak) })
}
