/**
 * For programs of a plain Node.js: functions that count its children and its descriptors. Helpers of nsset that wait for a
 * program are left out, with the two descriptors that each has of its parent. They end after some seconds.
 */
export const OWN_RESOURCES = `
  const { readdirSync: namesIn, readFileSync: textOf } = process.getBuiltinModule('node:fs')
  const commOf = (pid) => { try { return textOf('/proc/' + pid + '/comm', 'utf8').trim() } catch { return '' } }
  const allChildren = () => namesIn('/proc/self/task')
    .flatMap((tid) => { try { return textOf('/proc/self/task/' + tid + '/children', 'utf8').split(' ').filter(Boolean) } catch { return [] } })
  const children = () => allChildren().filter((pid) => commOf(pid) !== 'nsset-idle')
  const descriptors = () => namesIn('/proc/self/fd').length
    - 2 * allChildren().filter((pid) => commOf(pid) === 'nsset-idle').length
`
