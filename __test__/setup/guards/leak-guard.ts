/**
 * After each test, or each file, this process has what it had before: `expectNoLeaks` of the package, as its users call it. Mounts,
 * links and names belong to the machine, on which other test files run at the same time: tests of those count them themselves.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'

/** Each test of these folders closes what it opens. */
const BY_TEST = [
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

/** Tests of these folders share servers and sets, or leave connections to be kept alive: each file closes what it opens. */
const BY_FILE = ['network', 'sockets', 'ways']

/** Its tests share a set and a server, which open sockets when they are first used. */
const SHARING = 'sets/unknown-options.test.ts'

const ofTheMachine = /^(?:mount|link|name) /

type Run = () => Promise<void>

/** Tests that run at the same time see each other's resources. */
const ofTest = {
  beforeEach: (run: Run) => beforeEach(({ task }) => (task.concurrent ? undefined : run())),
  afterEach: (run: Run) => afterEach(({ task }) => (task.concurrent ? undefined : run())),
}

const ofFile = { beforeEach: (run: Run) => beforeAll(run), afterEach: (run: Run) => afterAll(run) }

function hooks() {
  const [, file = ''] = expect.getState().testPath?.split('/__test__/') ?? []
  const isIn = (folder: string) => file.startsWith(`${folder}/`)
  if (BY_TEST.some(isIn) && file !== SHARING) return ofTest
  return BY_FILE.some(isIn) ? ofFile : undefined
}

const chosen = hooks()
if (chosen !== undefined) {
  // Other tests are not to load the package here.
  const { expectNoLeaks } = await import('nsset/testing')
  expectNoLeaks(chosen, { patience: 10_000, ignore: (leak) => ofTheMachine.test(leak) })
}
