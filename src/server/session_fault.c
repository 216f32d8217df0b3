/* session_fault - what goes wrong on purpose with a session's transfer: by a rule for its command, or for all alike. */
#include "server/session.h"

bool session_faulty(const struct session *s, enum aftp_act act, bool for_all)
{
	return for_all || (s->transfer_rule && s->transfer_rule->act == act);
}

enum cut session_next_cut(const struct session *s, uint64_t *at)
{
	const struct aftp_rule *r = s->transfer_rule;
	enum cut cut = !r                           ? CUT_NONE
		: r->act == AFTP_ACT_DROP_AFTER     ? CUT_DATA
		: r->act == AFTP_ACT_DROP_ALL_AFTER ? CUT_ALL
		: r->act == AFTP_ACT_STALL_AFTER    ? CUT_STALL
						    : CUT_NONE;
	if (cut == CUT_NONE)
		return faults_next_cut(&s->srv->faults, at);
	*at = r->number;
	return cut;
}

bool session_strike(struct session *s)
{
	const struct aftp_rule *r = s->transfer_rule;
	bool own = r &&
		(r->act == AFTP_ACT_DROP_AFTER || r->act == AFTP_ACT_DROP_ALL_AFTER || r->act == AFTP_ACT_STALL_AFTER);
	return own || faults_strike(&s->srv->faults);
}
