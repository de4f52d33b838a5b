package fetch

import (
	"slices"

	"nirzone/zone"
)

// Where a notice has more than one severity, the gravest stands here.
var codeDocs = []zone.CodeDoc{
	{Code: "absent", Severity: zone.Error, Meaning: "a zonelet could not be fetched or does not verify, and there is no earlier version", Remedy: "the text has the reason; the next run tries again"},
	{Code: "clear-password", Severity: zone.Warning, Meaning: "the password of an FTP source goes over the network in the clear (RFC 2577, section 4)", Remedy: "set `tls = \"explicit\"`, or fetch by another protocol"},
	{Code: "foreign-pasv", Severity: zone.Warning, Meaning: "an FTP server names another host's address for its data connection; its own was dialled instead (RFC 2577, section 3)", Remedy: "ask the source to set its public address"},
	{Code: "gnu-md5", Severity: zone.Info, Meaning: "an MD5 sum is in GNU form, which the configuration allows; the policy wants BSD form", Remedy: "the source makes it with `md5sum --tag`"},
	{Code: "kept", Severity: zone.Error, Meaning: "a zonelet could not be fetched or does not verify; the last good version stands", Remedy: "the text has the reason; the next run tries again"},
	{Code: "keyring-ends-30", Severity: zone.Warning, Meaning: "the last key of a source's keyring that counts ends in 30 days or less", Remedy: "ask the source for its new key, and put it into the keyring"},
	{Code: "keyring-ends-60", Severity: zone.Info, Meaning: "the last key of a source's keyring that counts ends in 60 days or less", Remedy: "ask the source for its new key, and put it into the keyring"},
	{Code: "keyring-ends-7", Severity: zone.Alarm, Meaning: "the last key of a source's keyring that counts ends in 7 days or less", Remedy: "ask the source for its new key, and put it into the keyring"},
	{Code: "keyring-key-absent", Severity: zone.Warning, Meaning: "the configuration names a key that is not in the keyring", Remedy: "add the key, or correct `keys` and `legacy`"},
	{Code: "keyring-no-usable-key", Severity: zone.Alarm, Meaning: "no key of a source's keyring counts; every signature is refused", Remedy: "ask the source for its present key"},
	{Code: "keyring-unreadable", Severity: zone.Warning, Meaning: "keys of a keyring cannot be read and were left out", Remedy: "export them again"},
	{Code: "legacy-dsa", Severity: zone.Warning, Meaning: "a signature by a DSA key was accepted because `legacy` allows it, until the day that the text names", Remedy: "the source makes a new key before that day"},
	{Code: "legacy-expired", Severity: zone.Warning, Meaning: "a signature by an expired key was accepted because `legacy` allows it, until the day that the text names", Remedy: "the source extends its key, or makes a new one, before that day"},
	{Code: "legacy-sha1", Severity: zone.Warning, Meaning: "a signature under SHA-1 was accepted because `legacy` allows it, until the day that the text names", Remedy: "the source signs with `--digest-algo SHA256` before that day"},
	{Code: "mismatch", Severity: zone.Error, Meaning: "a zonelet and its seals are not of the same moment; info while it is taken for a publication in progress, error after `race_deadline`", Remedy: "the source publishes all three files again, the zonelet first"},
	{Code: "stale", Severity: zone.Warning, Meaning: "a zonelet was not seen and verified for longer than `stale_after`", Remedy: "call the source"},
	{Code: "stale-alarm", Severity: zone.Alarm, Meaning: "a zonelet was not seen and verified for longer than `alarm_after`", Remedy: "call the source"},
	{Code: "unreached", Severity: zone.Error, Meaning: "a source could not be worked with at all, or was given up; what was accepted before stands", Remedy: "the text has the reason; the next run tries again"},
	{Code: "unsealed", Severity: zone.Warning, Meaning: "the configuration requires no seal of a source", Remedy: "agree on a seal with the source and set `require`"},
}

// Codes returns the documentation of every notice code in a report, those of the
// seals included, sorted.
func Codes() []zone.CodeDoc { return slices.Clone(codeDocs) }
