"""The kinds of rules, pure: `fold` judges readings, `facts` what a machine reports of itself.

The same code judges live, in a replay of the past and in a simulation:

    from devices.rule_kinds.fold import evaluate, fold_of, run

    spec = Spec(Limit(...), kind="drift", params=complete("drift", {})[0])
    for opened_at, cleared_at in run(spec, samples):     # every failure of a series; None: goes on
        ...
    evaluate(spec, samples, at)                          # the verdict as of a moment
    fold = fold_of(spec)                                 # the same step by step:
    fold.step(sample)                                    # one reading more, oldest first, O(1)
    fold.result(at)                                      # what the rule says now
    fold.load(fold.dump())                               # JSON; goes on as if never stopped
"""
