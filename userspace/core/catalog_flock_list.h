/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The catalog's rows about the flock: nothing but lists, for catalog_list.h. Not here: other rows, kinds, families.
 */
#ifndef STARLING_CORE_CATALOG_FLOCK_LIST_H
#define STARLING_CORE_CATALOG_FLOCK_LIST_H

/* clang-format off */

/* FIELD as in catalog_list.h */
#define STARLING_FIELDS_NODE(FIELD) \
	FIELD(NODE, name, TEXT, NONE, COLUMN, "NODE", FAMILY_NONE, "", "its name") \
	FIELD(NODE, id, TEXT, NONE, DETAIL, "ID", FAMILY_NONE, "", "what messages call it") \
	FIELD(NODE, key, TEXT, NONE, DETAIL, "KEY", FAMILY_NONE, "", "public, as `roster add` takes it") \
	FIELD(NODE, self, BOOL, NONE, DETAIL, "SELF", FAMILY_NONE, "", "it is this one") \
	FIELD(NODE, state, TEXT, STATE, COLUMN, "STATE", FAMILY_NONE, "", "alone, alive, suspect, unfit, dead, left, conflict") \
	FIELD(NODE, since, TIME, NONE, COLUMN, "SINCE", FAMILY_NONE, "", "in this state") \
	FIELD(NODE, address, TEXT, NONE, COLUMN, "ADDRESS", FAMILY_NONE, "", "where it is heard") \
	FIELD(NODE, site, TEXT, NONE, COLUMN, "SITE", FAMILY_NONE, "", "as it says") \
	FIELD(NODE, region, TEXT, NONE, DETAIL, "REGION", FAMILY_NONE, "", "as it says") \
	FIELD(NODE, version, TEXT, NONE, COLUMN, "VERSION", FAMILY_NONE, "", "of its daemon") \
	FIELD(NODE, config, TEXT, NONE, COLUMN, "CONFIG", FAMILY_NONE, "", "its tables: same or differs, compared with this one") \
	FIELD(NODE, effective, TEXT, NONE, COLUMN, "EFFECTIVE", FAMILY_NONE, "", "its homes: same or differs") \
	FIELD(NODE, open, U64, COUNT, COLUMN, "OPEN", FAMILY_NONE, "", "connections, as it says") \
	FIELD(NODE, round_trip, F64, SECONDS, DETAIL, "ROUND-TRIP", FAMILY_starling_gossip_probe_duration_seconds, "", "of a probe") \
	FIELD(NODE, clock_offset, F64, SECONDS, DETAIL, "CLOCK", FAMILY_starling_gossip_clock_offset_seconds, "", "its wall clock less this one's") \
	FIELD(NODE, reputation, U64, NONE, DETAIL, "REPUTATION", FAMILY_starling_gossip_reputation, "", "of its votes, per mille, as the flock has agreed") \
	FIELD(NODE, incarnation, U64, NONE, DETAIL, "INCARNATION", FAMILY_NONE, "", "its life") \
	FIELD(NODE, audit_entry, U64, NONE, DETAIL, "ENTRY", FAMILY_NONE, "", "last one of its audit log that it has told") \
	FIELD(NODE, audit_state, TEXT, NONE, DETAIL, "AUDIT", FAMILY_NONE, "", "its audit log: whole, reset, unquoted, forked, cut") \
	FIELD(NODE, audit, TEXT, NONE, NOTE, "audit log %", FAMILY_NONE, "", "what is wrong with its audit log") \
	FIELD(NODE, is, LIST, NONE, NOTE, "%", FAMILY_NONE, "", "draining: it should get no new connections; witness: it has no data plane; bridge: between its site and others") \
	FIELD(NODE, differs, LIST, NONE, NOTE, "differs in %", FAMILY_NONE, "", "VIPs that it has otherwise") \
	FIELD(NODE, accusers, LIST, NONE, NOTE, "accused by %", FAMILY_NONE, "", "who say that it does not answer")

#define STARLING_FIELDS_GOSSIP(FIELD) \
	FIELD(GOSSIP, members_alive, U64, NONE, HEAD, "members % alive", FAMILY_starling_gossip_members, "state=alive", "answer; this node, too") \
	FIELD(GOSSIP, members_suspect, U64, NONE, HEAD, "% suspect", FAMILY_starling_gossip_members, "state=suspect", "have not answered") \
	FIELD(GOSSIP, members_unfit, U64, NONE, HEAD, "% unfit", FAMILY_starling_gossip_members, "state=unfit", "answer at times") \
	FIELD(GOSSIP, members_dead, U64, NONE, HEAD, "% dead", FAMILY_starling_gossip_members, "state=dead", "do not answer") \
	FIELD(GOSSIP, members_left, U64, NONE, HEAD, "% left", FAMILY_starling_gossip_members, "state=left", "said that they go") \
	FIELD(GOSSIP, diverged_config, U64, NONE, HEAD, "% differ in config", FAMILY_starling_gossip_diverged_members, "digest=config", "live nodes whose tables differ") \
	FIELD(GOSSIP, diverged_effective, U64, NONE, HEAD, "% in effect", FAMILY_starling_gossip_diverged_members, "digest=effective", "live nodes whose homes differ") \
	FIELD(GOSSIP, health, U64, NONE, LINE1, "health", FAMILY_starling_gossip_health_score, "", "how much this node doubts itself") \
	FIELD(GOSSIP, sent, U64, COUNT, LINE1, "sent", FAMILY_starling_gossip_messages_sent_total, "", "datagrams") \
	FIELD(GOSSIP, sent_bytes, U64, BYTES, LINE1, "bytes", FAMILY_starling_gossip_sent_bytes_total, "", "sent") \
	FIELD(GOSSIP, received, U64, COUNT, LINE1, "received", FAMILY_starling_gossip_messages_received_total, "", "datagrams that were heard") \
	FIELD(GOSSIP, received_bytes, U64, BYTES, LINE1, "bytes", FAMILY_starling_gossip_received_bytes_total, "", "heard") \
	FIELD(GOSSIP, streams_called, U64, COUNT, LINE1, "streams", FAMILY_starling_gossip_streams_total, "by=other", "exchanges of pages that others began") \
	FIELD(GOSSIP, streams_caller, U64, COUNT, LINE1, "% begun", FAMILY_starling_gossip_streams_total, "by=self", "that this node began") \
	FIELD(GOSSIP, facts_age, F64, SECONDS, LINE1, "loads-late", FAMILY_starling_gossip_facts_age_seconds, "", "the latest load that is to be told") \
	FIELD(GOSSIP, keys_used, U64, NONE, LINE1, "keys", FAMILY_starling_gossip_keys, "state=used", "of the flock, that this node seals with") \
	FIELD(GOSSIP, keys_kept, U64, NONE, LINE1, "% kept", FAMILY_starling_gossip_keys, "state=kept", "that it only opens with") \
	FIELD(GOSSIP, conflicts, U64, COUNT, LINE1, "conflicts", FAMILY_starling_gossip_identity_conflicts_total, "", "times that two hosts were seen to use one identity") \
	FIELD(GOSSIP, audit_whole, U64, NONE, LINE1, "audit-logs % whole", FAMILY_starling_audit_tails, "state=whole", "audit logs of nodes that only ever grew") \
	FIELD(GOSSIP, audit_reset, U64, NONE, LINE1, "% reset", FAMILY_starling_audit_tails, "state=reset", "that began anew, and say so") \
	FIELD(GOSSIP, audit_unquoted, U64, NONE, LINE1, "% unquoted", FAMILY_starling_audit_tails, "state=unquoted", "that began anew, and hide it") \
	FIELD(GOSSIP, audit_forked, U64, NONE, LINE1, "% forked", FAMILY_starling_audit_tails, "state=forked", "an entry of which is another one") \
	FIELD(GOSSIP, audit_cut, U64, NONE, LINE1, "% cut", FAMILY_starling_audit_tails, "state=cut", "entries of which are gone") \
	FIELD(GOSSIP, rejected_malformed, U64, COUNT, LINE2, "% malformed", FAMILY_starling_gossip_messages_rejected_total, "reason=malformed", "no datagram of a flock, or cut short") \
	FIELD(GOSSIP, rejected_version, U64, COUNT, LINE2, "% version", FAMILY_starling_gossip_messages_rejected_total, "reason=version", "of another version") \
	FIELD(GOSSIP, rejected_stranger, U64, COUNT, LINE2, "% stranger", FAMILY_starling_gossip_messages_rejected_total, "reason=stranger", "sender not in the roster") \
	FIELD(GOSSIP, rejected_key, U64, COUNT, LINE2, "% key", FAMILY_starling_gossip_messages_rejected_total, "reason=key", "sealed with a key that is not known here") \
	FIELD(GOSSIP, rejected_forged, U64, COUNT, LINE2, "% forged", FAMILY_starling_gossip_messages_rejected_total, "reason=forged", "not its sender's") \
	FIELD(GOSSIP, rejected_replayed, U64, COUNT, LINE2, "% replayed", FAMILY_starling_gossip_messages_rejected_total, "reason=replayed", "came before") \
	FIELD(GOSSIP, rejected_stale, U64, COUNT, LINE2, "% stale", FAMILY_starling_gossip_messages_rejected_total, "reason=stale", "for or from a life that has ended") \
	FIELD(GOSSIP, rejected_reflected, U64, COUNT, LINE2, "% reflected", FAMILY_starling_gossip_messages_rejected_total, "reason=reflected", "sent by this node") \
	FIELD(GOSSIP, rejected_twin, U64, COUNT, LINE2, "% twin", FAMILY_starling_gossip_messages_rejected_total, "reason=twin", "by another host with this node's identity") \
	FIELD(GOSSIP, rejected_unasked, U64, COUNT, LINE2, "% unasked", FAMILY_starling_gossip_messages_rejected_total, "reason=unasked", "answers to what was not asked") \
	FIELD(GOSSIP, rejected_flood, U64, COUNT, LINE2, "% flood", FAMILY_starling_gossip_messages_rejected_total, "reason=flood", "more than is listened to") \
	FIELD(GOSSIP, rejected_unreadable, U64, COUNT, LINE2, "% unreadable", FAMILY_starling_gossip_messages_rejected_total, "reason=unreadable", "no message") \
	FIELD(GOSSIP, rejected_stream_malformed, U64, COUNT, LINE3, "streams % malformed", FAMILY_starling_gossip_messages_rejected_total, "reason=stream-malformed", "no stream of a flock") \
	FIELD(GOSSIP, rejected_stream_stranger, U64, COUNT, LINE3, "% stranger", FAMILY_starling_gossip_messages_rejected_total, "reason=stream-stranger", "of a caller that is not in the roster, or for another node") \
	FIELD(GOSSIP, rejected_stream_key, U64, COUNT, LINE3, "% key", FAMILY_starling_gossip_messages_rejected_total, "reason=stream-key", "with a key that is not known here") \
	FIELD(GOSSIP, rejected_stream_forged, U64, COUNT, LINE3, "% forged", FAMILY_starling_gossip_messages_rejected_total, "reason=stream-forged", "a frame not its sender's, or not the next one") \
	FIELD(GOSSIP, rejected_stream_bomb, U64, COUNT, LINE3, "% bombs", FAMILY_starling_gossip_messages_rejected_total, "reason=stream-bomb", "a frame that inflates beyond its bound") \
	FIELD(GOSSIP, rejected_stream_flood, U64, COUNT, LINE3, "% flood", FAMILY_starling_gossip_messages_rejected_total, "reason=stream-flood", "more at once, longer or larger than is listened to") \
	FIELD(GOSSIP, rejected_page_malformed, U64, COUNT, LINE3, "pages % malformed", FAMILY_starling_gossip_messages_rejected_total, "reason=page-malformed", "no page, in a message that was heard") \
	FIELD(GOSSIP, rejected_page_stranger, U64, COUNT, LINE3, "% stranger", FAMILY_starling_gossip_messages_rejected_total, "reason=page-stranger", "of nobody in the roster") \
	FIELD(GOSSIP, rejected_page_forged, U64, COUNT, LINE3, "% forged", FAMILY_starling_gossip_messages_rejected_total, "reason=page-forged", "not signed by the node they name") \
	FIELD(GOSSIP, rejected_page_full, U64, COUNT, LINE3, "% full", FAMILY_starling_gossip_messages_rejected_total, "reason=page-full", "more than their origin's share of memory") \
	FIELD(GOSSIP, rejected_equivocation, U64, COUNT, LINE3, "% equivocation", FAMILY_starling_gossip_messages_rejected_total, "reason=equivocation", "another one of the same number, signed as well: its origin lies") \
	FIELD(GOSSIP, rejected_accusation, U64, COUNT, LINE3, "accusations %", FAMILY_starling_gossip_messages_rejected_total, "reason=accusation", "of nodes that accuse too many at once") \
	FIELD(GOSSIP, rejected_update, U64, COUNT, LINE3, "updates %", FAMILY_starling_gossip_messages_rejected_total, "reason=update", "opinions that make no sense") \
	FIELD(GOSSIP, rejected_skewed, U64, COUNT, LINE3, "skewed %", FAMILY_starling_gossip_messages_rejected_total, "reason=skewed", "dates too far from this node's clock to be believed")

#define STARLING_FIELDS_ROSTER(FIELD) \
	FIELD(ROSTER, name, TEXT, NONE, COLUMN, "NODE", FAMILY_NONE, "", "its name") \
	FIELD(ROSTER, id, TEXT, NONE, COLUMN, "ID", FAMILY_NONE, "", "what messages call it; follows from the key") \
	FIELD(ROSTER, site, TEXT, NONE, COLUMN, "SITE", FAMILY_NONE, "", "where it stands") \
	FIELD(ROSTER, roles, LIST, NONE, COLUMN, "ROLES", FAMILY_NONE, "", "observer, voter, admin, witness") \
	FIELD(ROSTER, stake, U64, NONE, COLUMN, "STAKE", FAMILY_NONE, "", "weight in votes by stake") \
	FIELD(ROSTER, reputation, U64, NONE, COLUMN, "REPUTATION", FAMILY_NONE, "", "of its votes, per mille, as the flock has agreed") \
	FIELD(ROSTER, counted, U64, NONE, COLUMN, "COUNTED", FAMILY_NONE, "", "likewise, as this balancer has counted it") \
	FIELD(ROSTER, key, TEXT, NONE, COLUMN, "KEY", FAMILY_NONE, "", "public") \
	FIELD(ROSTER, epoch, TEXT, NONE, DETAIL, "EPOCH", FAMILY_NONE, "", "digest of the whole roster")

#define STARLING_FIELDS_WEIGHT(FIELD) \
	FIELD(WEIGHT, node, TEXT, NONE, COLUMN, "NODE", FAMILY_NONE, "", "whose votes") \
	FIELD(WEIGHT, time, TIME, NONE, COLUMN, "SINCE", FAMILY_NONE, "", "when it was agreed on") \
	FIELD(WEIGHT, generation, U64, NONE, COLUMN, "GENERATION", FAMILY_NONE, "", "of the flock's configuration") \
	FIELD(WEIGHT, stake_before, U64, NONE, COLUMN, "STAKE-BEFORE", FAMILY_NONE, "", "none: it was not in the roster, or earlier generations are not kept") \
	FIELD(WEIGHT, stake, U64, NONE, COLUMN, "STAKE", FAMILY_NONE, "", "none: it left the roster") \
	FIELD(WEIGHT, reputation_before, U64, NONE, COLUMN, "REPUTATION-BEFORE", FAMILY_NONE, "", "per mille") \
	FIELD(WEIGHT, reputation, U64, NONE, COLUMN, "REPUTATION", FAMILY_NONE, "", "per mille") \
	FIELD(WEIGHT, by, TEXT, NONE, COLUMN, "BY", FAMILY_NONE, "", "who changed it; starlingd: the flock, at its hour") \
	FIELD(WEIGHT, command, TEXT, NONE, COLUMN, "COMMAND", FAMILY_NONE, "", "that did it")

#define STARLING_FIELDS_KEY(FIELD) \
	FIELD(KEY, id, TEXT, NONE, COLUMN, "KEY", FAMILY_NONE, "", "its fingerprint") \
	FIELD(KEY, state, TEXT, STATE, COLUMN, "STATE", FAMILY_NONE, "", "used: this node seals with it; kept: it only opens") \
	FIELD(KEY, number, U64, NONE, COLUMN, "CHANGES", FAMILY_NONE, "", "of the flock's keys so far; 0: they came as a file") \
	FIELD(KEY, by, TEXT, NONE, COLUMN, "BY", FAMILY_NONE, "", "node where the last change was made")

#define STARLING_FIELDS_AUDIT(FIELD) \
	FIELD(AUDIT, entry, U64, NONE, COLUMN, "ENTRY", FAMILY_NONE, "", "its number in the chain") \
	FIELD(AUDIT, time, TIME, NONE, COLUMN, "SINCE", FAMILY_NONE, "", "when") \
	FIELD(AUDIT, by, TEXT, NONE, COLUMN, "BY", FAMILY_NONE, "", "who") \
	FIELD(AUDIT, what, TEXT, NONE, COLUMN, "WHAT", FAMILY_NONE, "", "the command, or what came about") \
	FIELD(AUDIT, chain, TEXT, NONE, DETAIL, "CHAIN", FAMILY_NONE, "", "drawn when the log began") \
	FIELD(AUDIT, hash, TEXT, NONE, DETAIL, "HASH", FAMILY_NONE, "", "of the line, which the next one names")

#define STARLING_FIELDS_TAIL(FIELD) \
	FIELD(TAIL, node, TEXT, NONE, COLUMN, "NODE", FAMILY_NONE, "", "whose log") \
	FIELD(TAIL, state, TEXT, STATE, COLUMN, "STATE", FAMILY_NONE, "", "whole, reset, unquoted, forked, cut") \
	FIELD(TAIL, since, TIME, NONE, COLUMN, "SINCE", FAMILY_NONE, "", "noticed here") \
	FIELD(TAIL, chain, TEXT, NONE, COLUMN, "CHAIN", FAMILY_NONE, "", "that it tells of") \
	FIELD(TAIL, entry, U64, NONE, COLUMN, "ENTRY", FAMILY_NONE, "", "the last one that it has told") \
	FIELD(TAIL, lost_entry, U64, NONE, COLUMN, "HELD", FAMILY_NONE, "", "the one that was held when it was noticed") \
	FIELD(TAIL, lost_chain, TEXT, NONE, DETAIL, "HELD-CHAIN", FAMILY_NONE, "", "the chain of that one") \
	FIELD(TAIL, lost_hash, TEXT, NONE, DETAIL, "HELD-HASH", FAMILY_NONE, "", "and its hash") \
	FIELD(TAIL, hash, TEXT, NONE, DETAIL, "HASH", FAMILY_NONE, "", "of the last one")

#define STARLING_FIELDS_LEASE(FIELD) \
	FIELD(LEASE, name, TEXT, NONE, COLUMN, "LEASE", FAMILY_NONE, "", "its name") \
	FIELD(LEASE, holder, TEXT, NONE, COLUMN, "HOLDER", FAMILY_NONE, "", "node that took it last") \
	FIELD(LEASE, held, BOOL, STATE, COLUMN, "HELD", FAMILY_NONE, "", "this node has it now") \
	FIELD(LEASE, fence, U64, NONE, COLUMN, "NUMBER", FAMILY_NONE, "", "higher each time that it is had anew: what comes with a lower one is refused") \
	FIELD(LEASE, remaining, F64, SECONDS, COLUMN, "REMAINING", FAMILY_NONE, "", "this node has it so long; of another's, until this node may take it") \
	FIELD(LEASE, ttl, F64, SECONDS, COLUMN, "TTL", FAMILY_NONE, "", "as it was asked for") \
	FIELD(LEASE, renewed, U64, NONE, DETAIL, "RENEWED", FAMILY_NONE, "", "times that it was asked for since it was had anew")

/* clang-format on */

#endif
