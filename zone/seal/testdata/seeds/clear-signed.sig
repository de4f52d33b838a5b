-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

$ORIGIN .
28.12.202.in-addr.arpa.	NS	ns1.nir.example.
- - a line that has to be escaped
-----BEGIN PGP SIGNATURE-----

iHUEARYIAB0WIQT7yeUQc0aWSYox29XpywOCn2iZYgUCaDxAwAAKCRDpywOCn2iZ
YhJHAQDuQwKUcB+CK6RJaJa4oZ8/zvNI7fX3ODgV7CHkTUCVngEAiQly5f+lnncY
yIb3xVDPfOHomRBqjYSOb18NiTQslQ0=
=BmHQ
-----END PGP SIGNATURE-----
