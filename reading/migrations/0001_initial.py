"""Skips, calls for help, second looks, saved views."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('detection', '0006_requested_urgency'),
        ('imaging', '0003_requested_urgency'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='HelpRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=300)),
                ('at', models.DateTimeField()),
                ('state', models.CharField(choices=[('open', 'waits for help'), ('answered', 'answered'), ('withdrawn', 'withdrawn')], default='open', max_length=10)),
                ('answer', models.CharField(blank=True, max_length=1000)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('ended_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='imaging.image')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('image',), name='help_one_open_per_film', violation_error_message='Somebody asks for help with this film already.'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='help_has_a_reason', violation_error_message='Who asks for help says what for.'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('ended_by', None), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('ended_at__isnull', False), ('ended_by__isnull', False)), _connector='OR'), name='help_ended_says_who', violation_error_message='A call that has ended says who ended it and when.'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'answered'), models.Q(('answer', ''), _negated=True)), models.Q(models.Q(('state', 'answered'), _negated=True), ('answer', '')), _connector='OR'), name='help_answered_has_an_answer', violation_error_message='An answered call has an answer.')],
            },
        ),
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40)),
                ('query', models.JSONField(default=dict)),
                ('is_default', models.BooleanField(default=False)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['name', 'id'],
                'constraints': [models.UniqueConstraint(fields=('user', 'name'), name='saved_view_name_once', violation_error_message='You have a view of this name.'), models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('user',), name='saved_view_one_default', violation_error_message='Only one view opens by itself.'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='saved_view_has_a_name', violation_error_message='A view has a name.')],
            },
        ),
        migrations.CreateModel(
            name='SecondLook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('agrees', models.BooleanField()),
                ('reason', models.CharField(max_length=300)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('signature', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='second_look', to='detection.signature')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='second_look_has_a_reason', violation_error_message='A second look says why.')],
            },
        ),
        migrations.CreateModel(
            name='Skip',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=300)),
                ('at', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='imaging.image')),
            ],
            options={
                'indexes': [models.Index(fields=['by', 'until'], name='skip_of_reader')],
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='skip_has_a_reason', violation_error_message='Who skips a film says why.')],
            },
        ),
    ]
