/** A root file system for containers: busybox and nothing else. */
import { accessSync, chmodSync, constants, copyFileSync, mkdirSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TemporaryDirectory } from '../sets/temporary-directory.ts'

/** The path of a program, if it is installed. */
export function installed(program: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return directories
    .map((directory) => join(directory, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** Makes it in a directory below; busybox has to be the static one. */
export function busyboxRoot(directory: TemporaryDirectory, busybox: string): string {
  const root = directory.file('rootfs')
  for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp']) mkdirSync(join(root, name), { recursive: true })
  copyFileSync(busybox, join(root, 'bin', 'busybox'))
  for (const applet of ['sh', 'sleep', 'hostname', 'true', 'cat']) symlinkSync('busybox', join(root, 'bin', applet))
  // runc and Podman show it to others than its maker.
  chmodSync(directory.path, 0o755)
  return root
}
