// Package alloc decides which block of a pool a member gets. It computes alone:
// it looks at a pool through the interface [Space], which a store answers from
// its rows, and returns a [Choice], which says exactly which rows go and which
// come. Nothing is changed here.
//
// # What a pool holds
//
// A pool is space; what of it is held by members is no concern of this package.
// What is free is a list of disjoint [Free] blocks. A free block is unreserved,
// or softly reserved for one member. A reservation is a hint: it keeps others
// away while there is other space, and never longer. Unreserved free blocks are
// merged: no two of them make up one block.
//
// # The algorithm
//
// Member m asks for a block of n numbers, n a power of two. The steps, of which
// the first that finds a block decides:
//
//  1. Grow. The buddy of a block P, where P is of size n, in the minimal list of
//     prefixes of what m holds, and the buddy is free and not reserved for
//     another. Together they are one prefix: m holds as many prefixes as before,
//     or fewer. A buddy reserved for m goes first, then the lowest address. No
//     other block of size n has this property.
//  2. Reserve. The smallest unreserved free block that holds factor·n; n is taken
//     at its start, and the rest of the factor·n is reserved for m. What lies
//     outside stays unreserved.
//  3. Fit. The smallest unreserved free block that holds n.
//  4. Cannibalise. A free block that is reserved for another: first reservations
//     that have expired, then m's own, then the oldest; of one reservation, the
//     greatest block, and its end, which is the farthest from what its member
//     holds. If no reserved block holds n alone, then n is put together from
//     several, and again the one whose youngest reservation is the oldest. Each
//     member that loses by it is named in a [Notice].
//  5. Exhausted. Only if no aligned free block of size n is there at all,
//     reserved or not.
//
// Among equals, the lowest address. The strategies differ in the steps they have
// and in the block they take in steps 2 and 3, see [Strategy].
//
// A size that is no power of two is the minimal list of blocks, [Lengths],
// largest first. They are chosen one after the other, each behind the one before
// if that space is free; either all are in the Choice or none.
//
// [Release] gives blocks back and [Expire] ends reservations; both merge what is
// free and unreserved.
package alloc
