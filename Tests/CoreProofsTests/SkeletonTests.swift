import CoreProofs
