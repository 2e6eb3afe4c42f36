-- How often a job has failed, whichever worker had it in hand: what fails everywhere is parked once,
-- and not once for each machine. Gone with its job.
CREATE TABLE job_failures (
    job_id   bigint PRIMARY KEY REFERENCES pgqueuer (id) ON DELETE CASCADE,
    failures integer NOT NULL CHECK (failures > 0)
);
