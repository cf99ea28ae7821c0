/** @internal The first process of a container. */
export interface ContainerProcess {
  pid: number
  /** Whether this pid has been the same process of the same container all the time. */
  isStill(): Promise<boolean>
}
