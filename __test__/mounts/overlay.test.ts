/** Overlay file systems of a set: layers with any name, rootless, and changes that are kept or not. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type MountSpec, NamespaceSet, type UnshareOptions } from 'nsset'
import { describe, expect, test } from 'vitest'
import { growthSince } from '../setup/guards/growth.ts'
import { resources } from '../setup/guards/resources.ts'
import { SYSTEM_MOUNTS } from '../setup/oracles/bwrap.ts'
import { asOrdinaryUser, asRoot } from '../setup/sets/privilege.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../setup/sets/temporary-directory.ts'

function withOverlay(mount: Partial<MountSpec>, options: UnshareOptions = {}): Promise<NamespaceSet> {
  const overlay = { type: 'overlay', target: '/merged', ...mount } as MountSpec
  return NamespaceSet.unshare(['user', 'mnt', 'pid'], {
    mapUser: 'root',
    root: { type: 'tmpfs' },
    mounts: [...SYSTEM_MOUNTS, { type: 'proc', target: '/proc' }, overlay],
    ...options,
  })
}

async function shell(set: NamespaceSet, script: string): Promise<string> {
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }
  return (await set.execFile('sh', ['-c', script], { env, timeout: 20_000 })).stdout.trim()
}

/** A directory with layers of these names, each with a file of its number and `same`. */
function layers(...names: string[]): TemporaryDirectory {
  const directory = temporaryDirectory()
  for (const [number, name] of names.entries()) {
    mkdirSync(directory.file(name), { recursive: true })
    writeFileSync(directory.file(`${name}/${number}`), name)
    writeFileSync(directory.file(`${name}/same`), name)
  }
  const dispose = () => {
    // The kernel leaves a directory of mode 0 in the work directory.
    execFileSync('chmod', ['-R', 'u+rwx', directory.path], { timeout: 10_000 })
    directory[Symbol.dispose]()
  }
  return { ...directory, [Symbol.dispose]: dispose }
}

test('shows several layers as one, the first above the others, read-only', async () => {
  using directory = layers('upper', 'middle', 'lowest')
  const lower = ['upper', 'middle', 'lowest'].map(directory.file)
  using set = await withOverlay({ lower })
  expect(await shell(set, 'cd /merged; ls; cat same 2; touch x 2>&1 || true')).toMatch(
    /^0\n1\n2\nsame\nupperlowest.*Read-only file system$/,
  )
})

test.each(['a:b', 'a,b', 'a\\b', 'a b', 'a\\:b', 'lowerdir=x,upperdir=y:z\\', 'ä\n"\'', 'x'.repeat(250)])(
  'a layer may be called %j',
  async (name) => {
    using directory = layers(`${name}/one`, `${name}/two`)
    mkdirSync(directory.file(`${name}/upper`))
    mkdirSync(directory.file(`${name}/work`))
    const [one, two, upper, work] = ['one', 'two', 'upper', 'work'].map((each) => directory.file(`${name}/${each}`))
    using set = await withOverlay({ lower: [one, two] as string[], upper, work } as Partial<MountSpec>)
    expect(await shell(set, 'cd /merged; cat same; echo new > made; rm 1; ls')).toBe(`${name}/one0\nmade\nsame`)
    expect(readFileSync(`${upper}/made`, 'utf8')).toBe('new\n')
    expect(readdirSync(String(two))).toContain('1')
  },
)

test('has as many layers as the kernel takes', async () => {
  const names = Array.from({ length: 120 }, (_, index) => `layer-with-a-rather-long-name-${index}`)
  using directory = layers(...names)
  using set = await withOverlay({ lower: names.map(directory.file) })
  expect(await shell(set, 'ls /merged | wc -l; cat /merged/119')).toBe(`121\n${names[119]}`)
})

describe('changes', () => {
  test('go to the upper layer, deleted and opaque directories included', async () => {
    using directory = layers('lower')
    mkdirSync(directory.file('lower/directory'))
    writeFileSync(directory.file('lower/directory/old'), '')
    for (const name of ['upper', 'work']) mkdirSync(directory.file(name))
    const mount = { lower: [directory.file('lower')], upper: directory.file('upper'), work: directory.file('work') }
    {
      using set = await withOverlay(mount)
      await shell(set, 'cd /merged; rm -r directory; mkdir directory; touch directory/new; echo changed > same; rm 0')
    }
    // They are there again in the next set.
    using set = await withOverlay(mount)
    expect(await shell(set, 'cd /merged; echo * directory/*; cat same')).toBe('directory same directory/new\nchanged')
    expect(readFileSync(directory.file('lower/same'), 'utf8')).toBe('lower')
  })

  test('go to memory with a tmpfs, and end with the set', async () => {
    using directory = layers('lower')
    using set = await withOverlay({ lower: [directory.file('lower')], upper: { type: 'tmpfs', size: 1 << 20 } })
    expect(await shell(set, 'cd /merged; echo changed > same; touch new; rm 0; cat same; ls')).toBe(
      'changed\nnew\nsame',
    )
    expect(readdirSync(directory.file('lower'))).toEqual(['0', 'same'])
    expect(await shell(set, 'cat /usr/bin/* > /merged/large || echo full')).toBe('full')
  })

  test('in memory take targets of later mounts; those on the disk do not', async () => {
    using directory = layers('lower')
    for (const name of ['upper', 'work']) mkdirSync(directory.file(name))
    const lower = [directory.file('lower')]
    const made = (upper: object): UnshareOptions => ({
      mounts: [
        ...SYSTEM_MOUNTS,
        { type: 'overlay', target: '/merged', lower, ...upper } as MountSpec,
        { type: 'tmpfs', target: '/merged/new/place' },
      ],
    })
    using set = await withOverlay({}, made({ upper: { type: 'tmpfs' } }))
    expect(await shell(set, 'ls -d /merged/new/place')).toBe('/merged/new/place')
    const onDisk = made({ upper: directory.file('upper'), work: directory.file('work') })
    await expect(withOverlay({}, onDisk)).rejects.toMatchObject({ code: 'ENOENT', path: '/merged/new/place' })
    expect(readdirSync(directory.file('upper'))).toEqual([])
  })

  const install = 'printf "#!/bin/sh\\necho installed\\n" > /usr/bin/mine && chmod 755 /usr/bin/mine && mine'
  const over: MountSpec = { type: 'overlay', target: '/usr', lower: ['/usr'], upper: { type: 'tmpfs' } }

  asRoot('over /usr: root installs a program for the set only', 'only root may write to /usr', async () => {
    using set = await withOverlay({}, { mounts: [...SYSTEM_MOUNTS, over] })
    expect(await shell(set, install)).toBe('installed')
    expect(existsSync('/usr/bin/mine')).toBe(false)
  })

  asOrdinaryUser('over /usr: an ordinary user may write no more than outside', async () => {
    using set = await withOverlay({}, { mounts: [...SYSTEM_MOUNTS, over] })
    await expect(shell(set, install)).rejects.toThrow('Permission denied')
  })
})

describe('directories that the kernel refuses', () => {
  test('a work directory on another file system, the same directory twice', async () => {
    using directory = layers('lower')
    for (const name of ['upper', 'work']) mkdirSync(directory.file(name))
    const lower = [directory.file('lower')]
    const before = resources()
    for (const mount of [
      { lower, upper: directory.file('upper'), work: '/dev/shm' },
      { lower, upper: directory.file('upper'), work: directory.file('upper') },
      { lower, upper: '/proc/self', work: '/proc/self/task' },
    ]) {
      await expect(withOverlay(mount), JSON.stringify(mount)).rejects.toMatchObject({
        name: 'NamespaceError',
        syscall: 'mount overlay',
        path: expect.any(String),
      })
    }
    expect(await growthSince(before)).toEqual({})
    expect(readdirSync(directory.path).toSorted()).toEqual(['lower', 'upper', 'work'])
    expect(readdirSync(directory.file('work'))).toEqual([])
  })
})
