-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

$ORIGIN .
28.12.202.in-addr.arpa.	NS	ns1.nir.example.
- - a line that has to be escaped
-----BEGIN PGP SIGNATURE-----

iHUEARYIAB0WIQQX3i2/qKRkAf9Tt3VZetDJCUKzbwUCaDxAwAAKCRBZetDJCUKz
b5HAAP91bOg4Vt5kLkiibPXCv4ZCqWx3OKWvlg57Xn3cWOFU7QEA2eagNCCUmokZ
xsK6zsCSgSS5qSPRv1zXsmdMLNTw0A4=
=xi+m
-----END PGP SIGNATURE-----
unsigned
