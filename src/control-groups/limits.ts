import type { ControlGroupLimits } from '../validate/control-groups/options.ts'

/** @hidden The value of a file of a control group. */
export interface Setting {
  controller: 'cpu' | 'memory' | 'pids'
  file: string
  value: string
}

/** The period of `cpu.max`, and the quota of one CPU in it, in microseconds. */
const PERIOD = 100_000

/** @internal Returns the settings for limits, as the kernel takes them. */
export function settingsOf({ memory, swap, processes, cpus, cpuWeight }: ControlGroupLimits): Setting[] {
  const given: [number | undefined, Setting['controller'], string, (value: number) => string][] = [
    [memory, 'memory', 'memory.max', maximum],
    [swap, 'memory', 'memory.swap.max', maximum],
    [processes, 'pids', 'pids.max', maximum],
    [cpus, 'cpu', 'cpu.max', (value) => `${maximum(Math.round(value * PERIOD))} ${PERIOD}`],
    [cpuWeight, 'cpu', 'cpu.weight', String],
  ]
  return given.flatMap(([value, controller, file, write]) =>
    value === undefined ? [] : [{ controller, file, value: write(value) }],
  )
}

/** @internal Returns the controllers that settings need, each once. */
export function controllersOf(settings: readonly Setting[]): string[] {
  return [...new Set(settings.map(({ controller }) => controller))]
}

function maximum(value: number): string {
  return Number.isFinite(value) ? String(value) : 'max'
}
