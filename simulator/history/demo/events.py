"""What happens in the weeks of the demo, and when: microseconds since the Monday they begin on.

Before week 5 the spend of a day moves in week 2 alone, so that what is usual can be learnt.
"""

from simulator.history.story import DAY_US, HOUR_US, MINUTE_US, WEEK_US

# Week 2: a cache is switched on for the search, which then needs one machine of two.
CACHED_FROM_US = WEEK_US + 6 * HOUR_US
# Week 3: the model that reads documents is retired for one that is faster.
RETIRING_FROM_US = 2 * WEEK_US + 1 * DAY_US
RETIRED_FROM_US = 2 * WEEK_US + 3 * DAY_US
# Week 5: a version of the search that is slow and fails is deployed on Tuesday. Machines are added
# in the alarm, and given back once it is rolled back on Wednesday.
DEPLOYED_AT_US = 4 * WEEK_US + 1 * DAY_US + 14 * HOUR_US
ROLLED_BACK_AT_US = DEPLOYED_AT_US + 19 * HOUR_US
ALARMED_US = 30 * MINUTE_US
# Week 5, on Friday: the machine of the language model becomes a reserved one.
RESERVED_FROM_US = 4 * WEEK_US + 4 * DAY_US
# Week 6: the language model gets a second machine for business hours.
HELPED_FROM_US = 5 * WEEK_US
