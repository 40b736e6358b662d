"""The wizard and the owner's pages."""

from django.urls import path

from .views import differences, goods, permission, stores, wizard

urlpatterns = [
    path("", stores.home, name="home"),
    path("connect/", wizard.platforms, name="connect"),
    path("connect/warehouse/", wizard.warehouses, name="connect-warehouse"),
    path("connect/callback/", permission.callback, name="connect-callback"),
    path("connect/<uuid:pk>/", wizard.resume, name="connect-resume"),
    path("connect/<uuid:pk>/log-in/", permission.authorize, name="connect-authorize"),
    path("connect/<uuid:pk>/brand/", wizard.brand, name="connect-brand"),
    path("connect/<uuid:pk>/store/", wizard.store, name="connect-store"),
    path("connect/<uuid:pk>/already/", wizard.taken, name="connect-taken"),
    path("connect/<uuid:pk>/name/", wizard.identify, name="connect-identify"),
    path("connect/<uuid:pk>/check/", wizard.review, name="connect-review"),
    path("connect/<uuid:pk>/import/", wizard.progress, name="connect-progress"),
    path("connect/<uuid:pk>/discard/", wizard.discard, name="connect-discard"),
    path("stores/<uuid:pk>/", stores.store, name="store"),
    path("stores/<uuid:pk>/products/", stores.products, name="products"),
    path("stores/<uuid:pk>/products.csv", stores.products_csv, name="products-csv"),
    path("stores/<uuid:pk>/differences/", differences.differences, name="differences"),
    path("stores/<uuid:pk>/differences/compare/", differences.compare, name="compare"),
    path("stores/<uuid:pk>/differences/put-right/", differences.put_right, name="put-right"),
    path("stores/<uuid:pk>/differences/limit/", differences.set_drift_limit, name="drift-limit"),
    path("products/<int:pk>/", goods.product, name="product"),
    path("stores/<uuid:pk>/log-in/", permission.reconnect, name="reconnect"),
    path("stores/<uuid:pk>/sync/", stores.sync, name="sync"),
    path("stores/<uuid:pk>/stop/", stores.stop, name="stop"),
    path("stores/<uuid:pk>/pause/", stores.pause, name="pause"),
    path("stores/<uuid:pk>/resume/", stores.resume, name="resume"),
    path("stores/<uuid:pk>/disconnect/", stores.disconnect, name="disconnect"),
    path("stores/<uuid:pk>/undo/", stores.undo, name="undo-disconnect"),
    path("stores/<uuid:pk>/id/", stores.change_id, name="change-id"),
]
