// Package mail hands messages to a mail server: one submission over SMTP (RFC 5321,
// RFC 6409), with TLS and a login, and one answer for each recipient.
//
// # What is sent
//
// A [Message] becomes the same bytes whenever it is sent again: its Message-ID and
// date are the caller's, the boundary between its parts follows from the
// Message-ID, and no header names the program. The text is quoted-printable,
// attachments are base64, so every line is ASCII and short. A header that would
// need a line of its own to say something else (CR, LF, NUL or another control
// character in a subject, a name or an address) is refused, never mended.
//
// # Secrecy
//
// [StartTLS] and [ImplicitTLS] verify the server's certificate for its name; a
// server that offers no TLS, or offers it with another certificate, is sent
// nothing. [Plain] is for a server on the loopback address alone, and never carries
// a login: the secret is read from a file for each session.
//
// # What an answer means
//
//   - [Accepted]: the server took the message for this recipient and answers for it
//     from then on (RFC 5321, section 6.1).
//   - [Temporary]: it was not taken now; a later attempt may succeed (reply 4yz).
//   - [Permanent]: the same attempt will fail again (reply 5yz).
//
// A connection that ends between the end of the message and the server's reply
// leaves open whether the message was taken: the answer is [Temporary] and Unsure
// (RFC 5321, section 4.5.3.2.6, and RFC 1047). Whoever sends again then risks a
// second copy, which has the same Message-ID.
package mail
