-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

$ORIGIN .
28.12.202.in-addr.arpa.	NS	ns1.nir.example.
- - a line that has to be escaped
-----BEGIN PGP SIGNATURE-----

iHUEARYIAB0WIQSjMkLIwSzgRDIM/nIMHfmjIUIlIQUCaDxAwAAKCRAMHfmjIUIl
IT+5AQC4fws8awf3S8YhgrZUpU8GWD9XGWILsyzpLk/pHBXcigEAodHhn+gRoARH
8PGqaDDeH9cPrDml+BQlyxQfLnpymQs=
=NH8e
-----END PGP SIGNATURE-----
