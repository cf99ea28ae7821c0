/** Filters of system calls as data: what is accepted, and what is refused before a program starts. */
import { type ExecFileOptions, NamespaceSet, type SystemCallFilter, sandboxSystemCalls, systemCalls } from 'nsset'
import { describe, expect, test } from 'vitest'
import { failureOf, range, refuses, type, untyped, value } from '../setup/sets/failure.ts'

test('systemCalls returns a frozen copy of plain data', () => {
  const given = {
    default: 'allow',
    deny: ['ptrace', { name: 'socket', when: [{ index: 0, is: '==', value: 40 }] }],
  } as const
  const filter = systemCalls(given)
  expect(filter).toEqual(given)
  expect(filter).not.toBe(given)
  expect(Object.isFrozen(filter) && Object.isFrozen(filter.deny) && Object.isFrozen(filter.deny[1])).toBe(true)
  expect(structuredClone(filter)).toEqual(given)
})

test('the preset is such data', () => {
  const preset = sandboxSystemCalls()
  expect(structuredClone(preset)).toEqual(preset)
  expect(preset).toMatchObject({ default: 'allow', denyUnknown: true })
  expect(sandboxSystemCalls({ userNamespaces: true }).deny).not.toContain('mount')
  expect(sandboxSystemCalls({ allow: ['socket', 'bpf'] }).deny).not.toContain('bpf')
})

test('the reference names each system call of the preset', async () => {
  const { readFileSync } = await import('node:fs')
  const source = readFileSync(new URL('../../src/processes/sandbox-system-calls.ts', import.meta.url), 'utf8')
  const reference = source.slice(source.indexOf(' * Returns the filter'), source.indexOf('export function'))
  for (const rule of sandboxSystemCalls().deny ?? []) {
    const name = typeof rule === 'object' ? rule.name : rule
    const words: Record<string, string> = { personality: 'personalities', socket: 'socket families' }
    expect(reference).toContain(words[name] ?? name)
  }
})

const parse = (filter: unknown) => () => systemCalls(untyped<SystemCallFilter>(filter))
const denying = (...deny: unknown[]) => parse({ default: 'allow', deny })
const when = (condition: object) => denying({ name: 'socket', when: [{ index: 0, is: '==', value: 1, ...condition }] })

describe('wrong filters', () => {
  refuses([
    ['no object', parse('allow'), type('filter', 'an object')],
    ['no default', parse({}), value('filter.default', 'is required')],
    ['another default', parse({ default: 'errno' }), value('filter.default', "'deny'")],
    ['an unknown list', parse({ default: 'allow', denny: [] }), value("did you mean 'deny'")],
    ['a name that no call has', denying('ptrase'), value("did you mean 'ptrace'")],
    ['a name of the C library', denying('system'), value('names of syscalls(2)')],
    ['an empty name', denying(''), value('filter.deny[0]', 'empty')],
    ['a number below 0', denying(-1), range('filter.deny[0]')],
    ['a rule without a name', denying({}), value('filter.deny[0].name', 'is required')],
    ['an unknown field of a rule', denying({ name: 'bpf', args: [] }), value("Unknown option 'args'")],
    ['an unknown error', denying({ name: 'bpf', errno: 'ENONE' }), value('filter.deny[0].errno', "such as 'EPERM'")],
    ['an error of 0', denying({ name: 'bpf', errno: 0 }), range('filter.deny[0].errno', '1 to 4095')],
    [
      'an error where nothing fails',
      parse({ default: 'allow', kill: [{ name: 'bpf', errno: 1 }] }),
      value("the list 'deny'"),
    ],
    ['an index that is too high', when({ index: 6 }), range('when[0].index', '0 to 5')],
    ['an unknown comparison', when({ is: '=' }), value('when[0].is')],
    ['a value of another type', when({ value: '1' }), type('when[0].value', 'bigint')],
    ['a fraction', when({ value: 0.5 }), range('when[0].value')],
    ['a value of more than 32 bits', when({ value: 2 ** 32 }), range('when[0].value', 'bits: 64')],
    ['a value of more than 64 bits', when({ value: 2n ** 64n, bits: 64 }), range('when[0].value', '64 bits')],
    ['a mask without ==', when({ is: '!=', mask: 1 }), value("'==' only")],
    ['other bits', when({ bits: 16 }), value('32 or 64')],
    ['a filter without execve', parse({ default: 'deny', allow: ['exit_group'] }), value("'execve'")],
    ['a filter without exit_group', parse({ default: 'kill', allow: ['execve'] }), value("'exit_group'")],
    ['a filter that kills execve', parse({ default: 'allow', kill: ['execve'] }), value("'execve'")],
    [
      'a filter that may kill execve',
      parse({ default: 'allow', kill: [{ name: 'execve', when: [{ index: 0, is: '==', value: 1 }] }] }),
      value("'execve'"),
    ],
    [
      'a filter that is too long',
      denying(...Array.from({ length: 4000 }, (_, index) => 1000 + index)),
      value('instructions', '4096'),
    ],
    [
      'an unknown option of the preset',
      () => sandboxSystemCalls(untyped({ userNamespace: true })),
      value("'userNamespaces'"),
    ],
    ['a wrong name for the preset', () => sandboxSystemCalls({ allow: ['ptrase'] }), value("did you mean 'ptrace'")],
  ])
})

describe('wrong options of spawn', () => {
  const set = NamespaceSet.current('uts')
  const run =
    (seccomp: unknown, more = {}) =>
    () =>
      set.execFile('true', [], untyped<ExecFileOptions<'utf8'>>({ seccomp, ...more }))
  refuses([
    ['another type', run('strict'), type('options.seccomp', 'sandboxSystemCalls()')],
    ['a filter that is wrong', run({ default: 'allow', deny: [5.5] }), range('options.seccomp.deny[0]')],
    ['a name that no call has', run({ default: 'allow', deny: ['ptrase'] }), value('options.seccomp', "'ptrace'")],
    ['no instruction', run(Buffer.alloc(0)), range('options.seccomp.byteLength', '1 to 4096')],
    ['half an instruction', run(Buffer.alloc(12)), range('options.seccomp.byteLength')],
    ['too many instructions', run(Buffer.alloc(8 * 4097)), range('options.seccomp.byteLength')],
    [
      'without no new privileges',
      run({ default: 'allow' }, { noNewPrivileges: false }),
      value("cannot be false with 'seccomp'"),
    ],
  ])

  test('spawn throws, and starts nothing', async () => {
    const filter = { default: 'allow', deny: ['nothing'] } as const
    expect(await failureOf(() => set.spawn('true', [], { seccomp: filter }))).toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    })
  })
})
