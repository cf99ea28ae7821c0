import type { Register } from './context.ts'

/** @hidden The type of {@link ControlGroup}. */
export type AnyControlGroup = Register extends { controlGroup: infer G extends object } ? G : object

/** @internal The property that holds the handle of a control group. Each copy of the package has its own. */
export const CONTROL_GROUP = Symbol('nsset.controlGroup')

/** @hidden A control group, for the layers below its class. */
export interface ControlGroupHandle {
  /** Returns its directory, and throws if the group is closed. */
  open(): string
  /** Turns on these controllers for the groups below it. */
  enable(controllers: readonly string[]): Promise<void>
}

/** @internal Returns whether a value is a control group of this copy of the package. */
export function isControlGroup(value: unknown): value is AnyControlGroup {
  return typeof value === 'object' && value !== null && CONTROL_GROUP in value
}

/** @internal */
export function controlGroupHandleOf(group: AnyControlGroup): ControlGroupHandle {
  return (group as { [CONTROL_GROUP]: ControlGroupHandle })[CONTROL_GROUP]
}
