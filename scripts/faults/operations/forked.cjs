/** What `fork` runs inside. */
process.send('ready', () => process.disconnect())
