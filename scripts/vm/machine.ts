/** A virtual machine without a network, emulated: it needs no privilege and no /dev/kvm. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Kernel } from './kernel.ts'

/** The emulated machine. */
interface Hardware {
  qemu: readonly string[]
  /** The kernel's name of its first serial line. */
  console: string
}

export const X86_64: Hardware = { qemu: ['qemu-system-x86_64', '-machine', 'q35', '-cpu', 'max'], console: 'ttyS0' }
/** No newer model: emulating its signed pointers is slow. */
export const ARM64: Hardware = {
  qemu: ['qemu-system-aarch64', '-machine', 'virt', '-cpu', 'cortex-a72'],
  console: 'ttyAMA0',
}

const COMMAND_LINE = [
  'loglevel=4',
  // Debian's kernel for virtual machines has both drivers, NVMe and ext4, built in: no initramfs is needed.
  'root=/dev/nvme0n1 rw',
  // With -no-reboot: a panic ends the machine.
  'panic=-1',
]

/** Boots and waits until the guest has powered itself off; its console is our standard output. */
export async function runMachine(
  hardware: Hardware,
  kernel: Kernel,
  disk: string,
  secondsLimit: number,
): Promise<void> {
  const qemu = [
    ...[...hardware.qemu, '-accel', 'tcg', '-smp', '2', '-m', '2G'],
    ...['-nodefaults', '-display', 'none', '-net', 'none', '-no-reboot', '-serial', 'stdio'],
    ...['-kernel', kernel.image, '-append', [`console=${hardware.console}`, ...COMMAND_LINE].join(' ')],
    ...['-drive', `file=${disk},format=raw,if=none,id=disk,cache=unsafe`, '-device', 'nvme,drive=disk,serial=nsset'],
  ]
  // timeout(1): it ends even if we are killed.
  const machine = spawn('timeout', ['--kill-after=5', String(secondsLimit), ...qemu], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  process.once('exit', () => machine.kill())
  const [code, signal] = await once(machine, 'exit')
  if (code === 124) throw new Error(`the guest was killed after ${secondsLimit} seconds; see its last output above`)
  if (code !== 0) throw new Error(`qemu ended with ${signal ?? code}`)
}
