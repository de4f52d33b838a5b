// Package sshsig makes and verifies SSH signatures: what "ssh-keygen -Y sign"
// writes and "ssh-keygen -Y verify" reads (OpenSSH, PROTOCOL.sshsig), so that an
// approval can be given with the key that a person has already, in a file, in an
// agent or in hardware, and verified by anyone with OpenSSH alone.
//
// # The signature
//
// Armoured between BEGIN and END SSH SIGNATURE, base64 of
//
//	byte[6] "SSHSIG"
//	uint32  1
//	string  public key, as SSH has it on the wire (RFC 4253, section 6.6)
//	string  namespace
//	string  reserved, empty
//	string  hash: sha256 or sha512
//	string  signature over "SSHSIG", namespace, reserved, hash, H(message)
//
// The namespace keeps a signature for one purpose from being taken for another:
// see [Namespace]. A reserved field that is not empty is refused, because
// ssh-keygen does not cover it by the signature.
//
// # Keys
//
// ssh-ed25519, ecdsa-sha2-nistp256, -384 and -521, RSA of 2048 to 8192 bits with
// rsa-sha2-256 or -512 (RFC 8332; never ssh-rsa, which is SHA-1), and the two that
// live in hardware, sk-ssh-ed25519 and sk-ecdsa-sha2-nistp256 (OpenSSH,
// PROTOCOL.u2f), which have to say that a person touched them. DSA and
// certificates are refused.
//
// # The list of signers
//
// A file in the form of OpenSSH's allowed_signers (ssh-keygen(1), ALLOWED
// SIGNERS), with less left open: see [ParseSigners].
package sshsig
