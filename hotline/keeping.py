"""The stores for recordings that the configuration names."""

from hotline.config import Config
from hotline.sound_folder import SoundFolder
from hotline.sounds import SoundStore, SoundStores


def sounds_of(config: Config) -> SoundStores:
    """Every configured store; nothing is opened or asked yet.

    Raises:
        ConfigError: its certificate cannot be read.
    """
    folder = SoundFolder(config.store_dir)
    current: SoundStore = folder
    if config.store.kind == "s3":
        # Without a bucket nobody waits for the library to load.
        from hotline.sound_s3 import SoundBucket  # noqa: PLC0415

        current = SoundBucket(config.store)
    return SoundStores(current=current, folder=folder, work=config.work_dir)
