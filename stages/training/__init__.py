"""What all trainings share: checkpoints, weights on disk, what is noted of a run, several processes at work on one."""
