/** What is forked: says that it is there, and ends with its channel. */
process.send('here')
process.on('message', () => undefined)
