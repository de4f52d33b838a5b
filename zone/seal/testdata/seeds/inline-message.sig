-----BEGIN PGP MESSAGE-----

owGbwMvMwCHGI/tzsaKTqiLj6ZgkhgwbhwMq/kGe7p5+CnpcRhZ6hkZ6RgZGepl5
uokpKUV6iUUFiXqcfsGcecWGenmZRXqpFYm5BTmpely6CokKOZl5qQolGYklChmJ
xQol+QpJqQqpxcmJBakpXB2lLAxiHAyyYoosi42cThzUeeBixPOvCGY7KxPIagYu
TgGYiM9rhv/e0aYhge8T9fXLGZfZNj0/L/dw2/+qA5e0Fj+J3BPLl36XkWHJscu+
yrtfra3hMLv7/2b8v0Ne8Y3B/I7u8pblQnqTNzECAA==
=bsc5
-----END PGP MESSAGE-----
