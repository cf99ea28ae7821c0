/** The check that rejects a release binary that needs too new a glibc. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { checkGlibc, newestGlibc } from '../../scripts/targets/glibc.ts'
import { checkLibraries } from '../../scripts/targets/libraries.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'

/** A library that calls a function; `more` are compiler arguments. */
function libraryThatCalls(call: string, more: string[] = []) {
  const directory = temporaryDirectory()
  const [source, library] = [directory.file('library.c'), directory.file('library.so')]
  writeFileSync(
    source,
    `#define _GNU_SOURCE\n#include <sys/mman.h>\n#include <unistd.h>\nint f(void) { return ${call}; }\n`,
  )
  const options = ['-shared', '-fPIC', '-nostartfiles', '-o', library, source]
  execFileSync('cc', [...options, ...more], { timeout: 30_000, stdio: ['ignore', 'ignore', 'inherit'] })
  return { library, [Symbol.dispose]: directory[Symbol.dispose] }
}

test('memfd_create, available since glibc 2.27, is accepted', () => {
  using made = libraryThatCalls('memfd_create("name", 0)')
  expect(newestGlibc(made.library)).toBe('2.27')
  expect(() => checkGlibc(made.library)).not.toThrow()
})

test('gettid, available since glibc 2.30, is rejected', () => {
  using made = libraryThatCalls('gettid()')
  expect(newestGlibc(made.library)).toBe('2.30')
  expect(() => checkGlibc(made.library)).toThrow('needs glibc 2.30, and is to run with 2.28')
})

test('the C library is accepted, and no other library', () => {
  using alone = libraryThatCalls('getpid()')
  expect(() => checkLibraries(alone.library)).not.toThrow()
  using more = libraryThatCalls('getpid()', ['-Wl,--no-as-needed', '-lgcc_s'])
  expect(() => checkLibraries(more.library)).toThrow('needs libgcc_s.so.1, and may need nothing but the C library')
})
