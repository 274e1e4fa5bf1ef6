// Package vcard edits vCards (RFC 2426, RFC 6350, and what is left of vCard
// 2.1) in place and without loss: a card is kept as the bytes that came from
// the server, line by line with their folds and line breaks, and only the
// lines that an edit names are written anew. Unknown properties, groups,
// parameters, duplicates, and the order of all of them survive byte for byte.
// On top of that it reads values: texts, structured values, types and labels,
// dates, pictures.
//
// It is separate from package contacts because it knows nothing of servers.
// The go-vcard library is not used: it keeps properties in maps, so their
// order and their folds are lost, and it refuses lines that real cards contain.
package vcard
