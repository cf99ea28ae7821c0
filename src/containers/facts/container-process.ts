/** @internal The first process of a container. */
export interface ContainerProcess {
  pid: number
  /** Returns whether the pid has always been the same process of the same container. */
  isStill(): Promise<boolean>
}
