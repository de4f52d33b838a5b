package seal

import (
	"crypto"
	stdecdsa "crypto/ecdsa"
	"crypto/elliptic"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/ecdsa"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// A steadySigner signs by ECDSA without randomness (RFC 6979), so that a
// signature is a function of key and data.
type steadySigner struct{ *stdecdsa.PrivateKey }

// Sign ignores the source of randomness that the library hands it.
func (s steadySigner) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.PrivateKey.Sign(nil, digest, opts)
}

var nistCurves = map[packet.Curve]elliptic.Curve{
	packet.CurveNistP256: elliptic.P256(), packet.CurveNistP384: elliptic.P384(), packet.CurveNistP521: elliptic.P521(),
}

// steady returns a copy of the key that signs the same way each time. RSA (PKCS
// #1 v1.5) and EdDSA do so by themselves; ECDSA over curves that the standard
// library lacks does not.
func steady(priv *packet.PrivateKey) (*packet.PrivateKey, error) {
	key, ok := priv.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return priv, nil
	}
	name, err := priv.Curve()
	if err != nil {
		return nil, fmt.Errorf("reading key: %w", err)
	}
	curve := nistCurves[name]
	if curve == nil {
		return priv, nil
	}
	raw, err := stdecdsa.ParseRawPrivateKey(curve, key.D.FillBytes(make([]byte, (curve.Params().N.BitLen()+7)/8)))
	if err != nil {
		return nil, fmt.Errorf("reading key: %w", err)
	}
	same := *priv
	same.PrivateKey = steadySigner{raw}
	return &same, nil
}
