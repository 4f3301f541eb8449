"""The evidence: detectors trained on the same few images in several ways, compared on real images none of them saw."""
