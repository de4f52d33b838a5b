// Package rpsl reads, edits and prints objects of the Routing Policy Specification
// Language as whois databases publish them (RFC 2622, section 2; RFC 4012; the
// types and attributes of RIPE's and APNIC's databases).
//
// # Text
//
// An object is a run of lines without an empty one among them; its first line
// names its type and, for most types, its key:
//
//	inetnum:        192.0.2.0 - 192.0.2.255
//	netname:        EXAMPLE-NET
//	remarks:        a value goes on in lines that begin
//	                with a space, a tab
//	+               or a plus sign
//	source:         EXAMPLE   # a comment ends a line
//
// A line holds an attribute (a name, a colon, a value) or continues the one
// above. Names are not case sensitive. Objects are separated by empty lines; lines
// between objects that begin with % or # are remarks of the file. Text is UTF-8;
// a file of ISO 8859-1 has to be announced as such ([Limits]). Line ends are LF or
// CRLF.
//
// # Guarantee
//
// Reading loses nothing: the objects of a file and what stands between them,
// printed one after the other, are the file, octet by octet. An attribute that
// is edited is printed anew, the others as they were.
//
// # Types
//
// [ClassOf] describes the types that this package knows: which attributes are
// mandatory, which may be repeated, which refer to other objects and which are
// not for the public. Objects of other types are read and printed all the same.
// [Object.Key] is the one form of an object's key, whatever spelling the object
// itself has: inetnum as "first - last", prefixes by RFC 5952, domains and route
// servers in lower case, handles and names in upper case.
//
// # Limits
//
// Everything that is read has limits: octets of a line, an object and the whole
// text, attributes of an object, objects, and by how much gzip may expand. All
// mistakes of a text are told at once, each with file, line and what to do.
package rpsl
