-----BEGIN PGP SIGNATURE-----

iHUEABYIAB0WIQSm/s8KP3p5OeWzjO2d0TBCqclkGQUCaDxAwAAKCRCd0TBCqclk
GcVnAPsGTx/fCciFWKv0nTUnAAcfeqo5eXum+o+glshDKzqnYwD/dDHW2ujgBrKx
c5FQekA3LgunkimplzaHQtVqtenOpws=
=rksX
-----END PGP SIGNATURE-----
