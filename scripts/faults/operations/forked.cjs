/** The module that `fork` runs inside. */
process.send('ready', () => process.disconnect())
