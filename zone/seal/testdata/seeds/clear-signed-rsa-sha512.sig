-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA512

$ORIGIN .
28.12.202.in-addr.arpa.	NS	ns1.nir.example.
- - a line that has to be escaped
-----BEGIN PGP SIGNATURE-----

iQIzBAEBCgAdFiEEiqxXulAz6eZmAZ+bgAoo8gkpA/sFAmg8QMAACgkQgAoo8gkp
A/syXQ/9Ep6WHS+Mld0KptmzelYJYJcfXSq3PfLBnT8LgpZ+LxchNsFiEGvYzb+i
LgaL42HLuH/qSTG3NHEZsWYhY/SQb5fPxBGRZdvy0TAlgH2w1/xGcGVwt7Losq/T
nU0H/fxrqvx7cOttrldGxMv7+Q+FX85B6m0eoSSwkxK+o80vsmeT2EloksAmRreS
O6sIkf5EkHrWM1WuqMwMxhMbcobtlAFVUz8/f8rPnzyWnze11b13eZtz8QE0yRjg
zBVA/YVeBEKuRYNDsfiFfqQAzSWQgc91pBEs9tyF1NNxD4vWxCutTCPHq9hHmhyO
jykVJ8wLGVMx+yyQiMq4lcghUFrww+cH6Wx/TDl7jUOC60pIJOGluUmLh6KvLdQ6
FsMmBkwEn/Sfu56OLT099y7bpYKxjn0rAwXcIBADBYaxD0NRp8iUGed3u3YPG/oZ
wtcrqHULZRdR6ZQvyfCf3Kf4su00wEvaKsv6N81abY+KIHEgEmwZCQoG21Hjkvhz
Nc/8sHM/m6c+R5Mwv1v2xqD00lcbk/8P/UZXpBAPrnusnFIN+UAyBw9BwpklSOET
LTW3TKNFSj4h9D8cXELr9LWArukAc2m1pvEvh0ctJEd1IoRxBq0FPUVgkGNOigIc
cG+8iuFB6RX6pBdm5o/1u/R37Ujf5UoizzpztFgVYMWTHeeVKZI=
=pZXb
-----END PGP SIGNATURE-----
