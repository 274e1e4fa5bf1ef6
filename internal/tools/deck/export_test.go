package deck

// Split is how a long comment is cut.
var Split = split
