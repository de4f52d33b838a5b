// Package seal checks and makes the two files that vouch for a zonelet: its
// .md5 and its .asc. It opens no file, reads no clock, and keeps no state.
//
// # The sum
//
// Beside FILE stands FILE.md5, one line in the form of the BSD tool, as policy
// APNIC-103 asks for:
//
//	MD5 (202.in-addr.arpa-JPNIC) = 35f19ddd3a482dd0d570a5bb2f1d4915
//
// The name is the base name of the summed file and is part of what is checked:
// a sum of another file says nothing. Digits are of either case; the line end
// is LF, CRLF or missing. A backslash before the line says that a backslash,
// line feed or carriage return in the name is escaped (\\, \n, \r), as GNU
// coreutils has it. The GNU form "35f19d…  name" is refused by default, because
// some publishers put a dated name into it; [ParseMD5] takes it if told to. A
// file of more than [MaxMD5] octets or of several lines is refused.
//
// MD5 is no protection against malice. It finds truncation and the race
// between publishing a file and its seals.
//
// # The signature
//
// Beside FILE stands FILE.asc, an OpenPGP signature (RFC 9580, section 5.2)
// over the octets of FILE, in one of three forms:
//
//   - detached and armoured, the usual one: one or more blocks of type PGP
//     SIGNATURE with nothing but white space around them;
//   - detached and binary: bare signature packets;
//   - clear-signed (section 7): nothing before or after it, and its text is
//     FILE. A clear signature covers neither blanks at line ends nor the kind
//     of the line end nor whether the last line has one, so a file with blanks
//     at a line end cannot be sealed by it and the rest may differ.
//
// A detached signature of type text (0x01) does not cover the kind of the line
// ends either. Markers apart, any other packet is refused. A signature file has
// at most [MaxSignature] octets, and a clear-signed one twice the size of FILE
// more ([SignatureLimit]); at most 8 signatures are read. If there are several, as in an
// algorithm or key roll, one that is good is enough, and the newest good one
// counts.
//
// What makes a signature good:
//
//   - A key of the ring made it, a primary key or a subkey bound to it with the
//     flag "sign" and a back signature (section 5.2.3.29; a primary key without
//     flags may sign).
//   - It is RSA of at least 2048 bits, ECDSA or EdDSA, under SHA-256 or better.
//     SHA-1 and DSA count while a [zone.Legacy] of the source allows them, with
//     a notice each time. MD5 and RIPEMD-160 never do.
//   - It was made at or after the key and at most [Skew] after Now, and has not
//     expired itself.
//   - The key is not revoked, now, whatever the date of the revocation and of
//     the signature. Revocations by other keys are not heard.
//   - The key has not expired, now, whatever the date of the signature, by its
//     latest self-signature (its primary user id's, and its direct-key signature
//     if there is one: the earlier end counts). A key whose life its owner prolonged goes on
//     sealing files from before. A Legacy "expired" by fingerprint makes an
//     exception until its date, with a notice each time.
//   - Now is inside one of the windows that the configuration gives for the
//     key's fingerprint. A key without a window is bound by its own dates only.
//
// The signature itself is checked first, so that what an error says of dates
// and keys is true. An older signature than the accepted one is refused unless
// it is over the same octets ([Replay]); age as such is no fault.
//
// Self-signatures inside the keyring may be by SHA-1: the file is under the
// registry's control and old keys have no other.
//
// # GnuPG
//
// The verdicts are those of gpg --verify, read by its status lines, but for
// what the rules above refuse and GnuPG lets pass: SHA-1, SHA-224 and
// RIPEMD-160, RSA below 2048 bits, DSA, secp256k1, signatures from the future,
// and text or packets around a signature or armour without its last line. A
// clear-signed text is compared with FILE, which GnuPG leaves to the caller. A
// wrong checksum of the armour, on which GnuPG fails, is no fault (section
// 6.1), and versions of RFC 9580 that GnuPG does not know are read.
//
// # Errors
//
// Whatever is refused is an [*Error] whose Kind says why. Only BadSignature and
// WrongSum look like the race ([Error.Mismatch]).
//
// # Making
//
// [Key.Sign] and [FormatMD5] make what is described here, byte for byte the
// same from the same arguments: a signature is a function of key, data and
// time, in version 4, without the salt notation that some programs add.
package seal
